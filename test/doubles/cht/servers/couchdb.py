"""Double of CHT's CouchDB: a small part of its HTTP API over append-only files, every acknowledged write fsynced."""

import hashlib
import json
import os
import re
import threading
import time
import urllib.parse
import uuid

from web import Answer, ask, basic, serve

DATA = os.environ.get('DOUBLE_DATA', '/opt/couchdb/data')
CREDENTIALS = os.environ.get('DOUBLE_CREDENTIALS', '/opt/couchdb/etc/local.d') + '/cluster-credentials.ini'
OWNER = 5984
RANGE = '00000000-ffffffff'
# A cluster keeps everything on its first node here: others only join. What is kept from the original: all of them must be there.
NODE = os.environ.get('SVC_NAME', 'couchdb')
PEERS = [name for name in os.environ.get('CLUSTER_PEER_IPS', '').split(',') if name]
SYSTEM = ['_users', '_replicator', '_global_changes']
lock = threading.RLock()
databases = {}


class Database:
    """One file, a document a line. A torn last line is what a crash leaves and is cut off; a broken line before it is damage."""

    def __init__(self, path):
        self.path, self.docs, self.seq, self.deleted, self.damaged = path, {}, 0, 0, False
        if os.path.exists(path):
            with open(path, 'rb') as file:
                data = file.read()
            *lines, torn = data.split(b'\n')
            for line in lines:
                try:
                    self.remember(json.loads(line))
                except (ValueError, TypeError, KeyError):
                    self.damaged = True
                    break
            if torn and not self.damaged:
                os.truncate(path, len(data) - len(torn))
        self.file = open(path, 'ab')

    def remember(self, doc):
        self.seq += 1
        if doc.get('_deleted'):
            self.docs.pop(doc['_id'], None)
            self.deleted += 1
        else:
            self.docs[doc['_id']] = doc

    def write(self, docs):
        for doc in docs:
            self.file.write(json.dumps(doc).encode() + b'\n')
        self.file.flush()
        os.fsync(self.file.fileno())
        for doc in docs:
            self.remember(doc)


def credentials():
    """Written only where it is missing, as in the original: a changed environment changes nothing any more."""
    if not os.path.exists(CREDENTIALS):
        os.makedirs(os.path.dirname(CREDENTIALS), exist_ok=True)
        user, password = os.environ.get('COUCHDB_USER', 'admin'), os.environ['COUCHDB_PASSWORD']
        secret = os.environ.get('COUCHDB_SECRET') or uuid.uuid4().hex
        ident = os.environ.get('COUCHDB_UUID') or uuid.uuid4().hex
        hashed = hashlib.sha256(password.encode()).hexdigest()
        with open(CREDENTIALS, 'w') as file:
            file.write(f'[chttpd_auth]\nsecret = {secret}\n[couchdb]\nuuid = {ident}\n[admins]\n{user} = {hashed}\n')
    with open(CREDENTIALS) as file:
        text = file.read()
    user, hashed = re.search(r'\[admins\]\n(\S+) = (\S+)', text).groups()
    return user, hashed, re.search(r'uuid = (\S+)', text).group(1)


def file_of(name):
    return f'{DATA}/shards/{RANGE}/{urllib.parse.quote(name, safe="")}.couch'


def open_all():
    os.makedirs(f'{DATA}/shards/{RANGE}', exist_ok=True)
    os.makedirs(f'{DATA}/.shards', exist_ok=True)
    for name in ('_dbs', '_nodes'):
        open(f'{DATA}/{name}.couch', 'ab').close()
    for entry in os.listdir(f'{DATA}/shards/{RANGE}'):
        if entry.endswith('.couch'):
            databases[urllib.parse.unquote(entry[:-6])] = Database(f'{DATA}/shards/{RANGE}/{entry}')
    for name in SYSTEM:
        create(name)


def create(name):
    if name in databases:
        return False
    databases[name] = Database(file_of(name))
    folder = os.open(os.path.dirname(file_of(name)), os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)
    return True


def take_over():
    """The original gives the data to its own account, opens it to everybody's eyes, and goes on as that account, at every start."""
    for folder, folders, files in os.walk(DATA):
        os.chown(folder, OWNER, OWNER)
        os.chmod(folder, 0o755)
        for name in files:
            os.chown(f'{folder}/{name}', OWNER, OWNER)
            os.chmod(f'{folder}/{name}', 0o644)
    os.setgroups([])
    os.setgid(OWNER)
    os.setuid(OWNER)


def stored(name):
    if name not in databases:
        raise Answer(404, {'error': 'not_found', 'reason': 'Database does not exist.'})
    if databases[name].damaged:
        raise Answer(500, {'error': 'read_beyond_eof', 'reason': 'the shard is damaged'})
    return databases[name]


def revised(database, doc):
    """Returns the document with its next revision, or the reason why it may not be written."""
    old = database.docs.get(doc.setdefault('_id', uuid.uuid4().hex))
    if old and doc.get('_rev') != old['_rev']:
        return None
    number = int(old['_rev'].split('-')[0]) + 1 if old else 1
    doc.pop('_rev', None)
    digest = hashlib.md5(json.dumps(doc, sort_keys=True).encode()).hexdigest()
    return {**doc, '_rev': f'{number}-{digest}'}


def put(name, doc):
    with lock:
        database = stored(name)
        new = revised(database, doc)
        if new is None:
            raise Answer(409, {'error': 'conflict', 'reason': 'Document update conflict.'})
        database.write([new])
    return Answer(201, {'ok': True, 'id': new['_id'], 'rev': new['_rev']})


def bulk(name, docs):
    with lock:
        database = stored(name)
        found = [(doc, revised(database, doc)) for doc in docs]
        database.write([new for _, new in found if new])
    return Answer(201, [
        {'ok': True, 'id': new['_id'], 'rev': new['_rev']} if new else {'id': doc['_id'], 'error': 'conflict'}
        for doc, new in found
    ])


def members():
    if not PEERS:
        own = 'couchdb@127.0.0.1' if NODE == 'couchdb' else f'couchdb@{NODE}'
        return {'all_nodes': [own], 'cluster_nodes': [own]}
    here = [NODE, *(peer for peer in PEERS if is_up(peer))]
    return {'all_nodes': [f'couchdb@{name}' for name in here], 'cluster_nodes': [f'couchdb@{name}' for name in (NODE, *PEERS)]}


def is_up(peer):
    try:
        return ask(f'http://{peer}:5984/_up')[0] == 401
    except OSError:
        return False


def of_server(method, path, ident):
    if path == '/':
        return Answer(200, {'couchdb': 'Welcome', 'version': os.environ['COUCHDB_VERSION'], 'uuid': ident, 'vendor': {'name': 'double'}})
    if path == '/_up':
        return Answer(200, {'status': 'ok', 'seeds': {}})
    if path == '/_all_dbs':
        return Answer(200, sorted(databases))
    if path == '/_active_tasks':
        return Answer(200, [])
    if path == '/_membership':
        return Answer(200, members())
    return None


def of_database(method, name, rest, query, body):
    if not rest:
        if method == 'PUT':
            with lock:
                return Answer(201, {'ok': True}) if create(name) else Answer(412, {'error': 'file_exists'})
        if method == 'POST':
            return put(name, json.loads(body))
        database = stored(name)
        sizes = {'file': os.path.getsize(database.path), 'active': os.path.getsize(database.path)}
        return Answer(200, {'db_name': name, 'doc_count': len(database.docs), 'doc_del_count': database.deleted, 'update_seq': str(database.seq), 'sizes': sizes})
    if rest == '_bulk_docs' and method == 'POST':
        return bulk(name, json.loads(body)['docs'])
    if rest in ('_ensure_full_commit', '_compact', '_view_cleanup') and method == 'POST':
        return Answer(201, {'ok': True})
    if rest == '_all_docs':
        docs = sorted(stored(name).docs.values(), key=lambda doc: doc['_id'])
        rows = [{'id': doc['_id'], 'key': doc['_id'], 'value': {'rev': doc['_rev']}} for doc in docs]
        if query.get('include_docs') == ['true']:
            rows = [{**row, 'doc': doc} for row, doc in zip(rows, docs)]
        limit = int(query.get('limit', [len(rows)])[0])
        return Answer(200, {'total_rows': len(docs), 'offset': 0, 'rows': rows[:limit]})
    return of_document(method, name, rest, query, body)


def of_document(method, name, ident, query, body):
    if method == 'PUT':
        doc = {**json.loads(body), '_id': ident}
        if 'rev' in query:
            doc['_rev'] = query['rev'][0]
        return put(name, doc)
    if method == 'DELETE':
        return put(name, {'_id': ident, '_rev': query.get('rev', [''])[0], '_deleted': True})
    doc = stored(name).docs.get(ident)
    return Answer(200, doc) if doc else Answer(404, {'error': 'not_found', 'reason': 'missing'})


def main():
    time.sleep(float(os.environ.get('DOUBLE_SLOWNESS', '4')))
    os.makedirs(DATA, exist_ok=True)
    user, hashed, ident = credentials()
    open_all()
    take_over()

    def respond(method, target, headers, body):
        login = basic(headers)
        if not login or login[0] != user or hashlib.sha256(login[1].encode()).hexdigest() != hashed:
            raise Answer(401, {'error': 'unauthorized', 'reason': 'You are not a server admin.'})
        path, _, text = target.partition('?')
        query = {key: [value.strip('"') for value in values] for key, values in urllib.parse.parse_qs(text).items()}
        answer = of_server(method, path, ident)
        if answer:
            return answer
        name, _, rest = path[1:].partition('/')
        return of_database(method, urllib.parse.unquote(name), urllib.parse.unquote(rest), query, body)

    serve(5984, respond).serve_forever()
