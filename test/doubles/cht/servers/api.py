"""Double of CHT's API: it starts in the order of the original, and upgrades through the upgrade service."""

import base64
import json
import os
import re
import sys
import threading
import time
import urllib.parse

from web import Answer, ask, basic, serve

VERSION = os.environ['CHT_VERSION']
COUCH = urllib.parse.urlsplit(os.environ['COUCH_URL'])
LOGIN = f'{COUCH.username}:{COUCH.password}'
SERVER = f'{COUCH.scheme}://{COUCH.hostname}:{COUCH.port or 5984}'
BUILDS = os.environ.get('BUILDS_URL', '')
UPGRADES = os.environ.get('UPGRADE_SERVICE_URL', 'http://localhost:5100')
DATABASES = ['medic', 'medic-sentinel', 'medic-logs', 'medic-users-meta', 'medic-vault']
FINAL = ('finalized', 'aborted', 'errored')
state = {'ready': False, 'since': time.time()}


def couch(path, method='GET', body=None):
    status, text, _ = ask(f'{SERVER}/{path}', method, body, login=LOGIN)
    return status, json.loads(text) if text else {}


def await_couch():
    """Once a second, for ever: version, refusal of strangers, membership, system databases."""
    while True:
        try:
            strangers = ask(f'{SERVER}/')[0]
            status, members = couch('_membership')
            has_all = set(couch('_all_dbs')[1]) >= {'_users', '_replicator', '_global_changes'}
            if strangers == 401 and status == 200 and members['all_nodes'] == members['cluster_nodes'] and has_all:
                return
        except (OSError, ValueError, KeyError, TypeError) as error:
            print(f'api: waiting for CouchDB: {error}', flush=True)
        time.sleep(1)


def install():
    for name in DATABASES:
        couch(name, 'PUT')
    time.sleep(float(os.environ.get('DOUBLE_SLOWNESS', '4')))
    _, old = couch('medic/_design%2Fmedic')
    now = {'_id': '_design/medic', 'build_info': {'version': VERSION, 'time': time.strftime('%Y-%m-%dT%H:%M:%SZ')}}
    couch('medic/_design%2Fmedic', 'PUT', {**now, **({'_rev': old['_rev']} if '_rev' in old else {})})
    log = current()
    if log and log['state'] in ('completing', 'complete') and log['to'] == VERSION:
        move(log, 'complete')
        move(log, 'finalizing')
        move(log, 'finalized')
    elif log and log['state'] not in FINAL and log['action'] != 'stage':
        move(log, 'interrupted')
    state['ready'] = True


def current():
    """Returns the newest log of an upgrade."""
    _, found = couch('medic-logs/_all_docs?include_docs=true')
    logs = [row['doc'] for row in found.get('rows', []) if row['id'].startswith('upgrade_log:')]
    return max(logs, key=lambda log: log['start_date'], default=None)


def move(log, to):
    log['state'] = to
    log['updated_date'] = int(time.time() * 1000)
    log.setdefault('state_history', []).append({'state': to, 'date': log['updated_date']})
    log['_rev'] = couch(f"medic-logs/{urllib.parse.quote(log['_id'], safe='')}", 'PUT', log)[1].get('rev')


def begin(build, action):
    now = int(time.time() * 1000)
    log = {'_id': f"upgrade_log:{now}:{build['version']}", 'user': COUCH.username, 'action': action, 'from': VERSION, 'to': build['version'], 'start_date': now}
    threading.Thread(target=guarded, args=(log, lambda: stage(log, build, action)), daemon=True).start()


def guarded(log, work):
    try:
        work()
    except Exception as error:
        print(f'api: upgrade failed: {error}', flush=True)
        move(log, 'errored')


def build_files(build):
    """The build is fetched from the market, at staging and again at completing."""
    ident = urllib.parse.quote(f"{build['namespace']}:{build['application']}:{build['version']}", safe='')
    status, text, _ = ask(f'{BUILDS}/{ident}?attachments=true')
    if status != 200:
        raise OSError(f'the build is not published: {status}')
    attachments = json.loads(text)['_attachments']
    prefix = 'docker-compose/'
    return {name[len(prefix):]: base64.b64decode(found['data']).decode() for name, found in attachments.items() if name.startswith(prefix)}


def stage(log, build, action):
    move(log, 'initiated')
    build_files(build)
    move(log, 'staged')
    move(log, 'indexing')
    time.sleep(2)
    move(log, 'indexed')
    if action == 'upgrade':
        complete(log, build)


def complete(log, build):
    move(log, 'completing')
    payload = {'containers': [], 'docker_compose': build_files(build)}
    status, text, _ = ask(f'{UPGRADES}/upgrade', 'POST', payload, timeout=300)
    found = json.loads(text) if status == 200 else {}
    if status != 200 or not any(file.get('ok') for file in found.values()):
        raise OSError(f'No containers were updated: {status} {text[:200]}')


def upgrade(method, path, body):
    if path.endswith('/can-upgrade'):
        try:
            return Answer(200, {'ok': ask(f'{UPGRADES}/')[0] == 200})
        except OSError:
            return Answer(200, {'ok': False})
    if method == 'GET':
        log = current()
        return Answer(200, {'upgradeDoc': log if log and log['state'] not in FINAL else None, 'indexers': [], 'buildsUrl': BUILDS})
    log = current()
    if method == 'DELETE':
        if log and log['state'] not in FINAL:
            move(log, 'aborting')
            move(log, 'aborted')
        return Answer(200, {'ok': True})
    build = (json.loads(body or b'{}') or {}).get('build') or {}
    if not all(isinstance(build.get(key), str) and build.get(key) for key in ('namespace', 'application', 'version')):
        raise Answer(400, {'code': 400, 'error': 'You must provide a build info body'})
    if path.endswith('/compare'):
        return Answer(200, [{'type': ['views'], 'ddoc': '_design/medic', 'db': 'medic', 'size': 4096, 'indexing': False}])
    if path.endswith('/complete') and log:
        threading.Thread(target=guarded, args=(log, lambda: complete(log, build)), daemon=True).start()
    else:
        begin(build, 'stage' if path.endswith('/stage') else 'upgrade')
    return Answer(200, {'ok': True})


def monitoring():
    def database(name):
        try:
            _, found = couch(name)
            sizes = found['sizes']
            return {'name': name, 'update_sequence': int(found['update_seq']), 'doc_count': found['doc_count'], 'doc_del_count': found['doc_del_count'], 'fragmentation': 1, 'sizes': sizes, 'view_indexes': [], 'nouveau_indexes': []}
        except (OSError, ValueError, KeyError):
            lost = {'active': -1, 'file': -1}
            return {'name': name, 'update_sequence': -1, 'doc_count': -1, 'doc_del_count': -1, 'fragmentation': -1, 'sizes': lost, 'view_indexes': [], 'nouveau_indexes': []}

    counts = {'due': 0, 'scheduled': 0, 'muted': 0, 'failed': 0, 'delivered': 0}
    names = {'medic': 'medic', 'sentinel': 'medic-sentinel', 'usersmeta': 'medic-users-meta', 'users': '_users'}
    return {
        'version': {'app': VERSION, 'node': 'double', 'couchdb': os.environ['COUCHDB_VERSION']},
        'couchdb': {key: database(name) for key, name in names.items()},
        'date': {'current': int(time.time() * 1000), 'uptime': time.time() - state['since']},
        'sentinel': {'backlog': 0},
        'messaging': {'outgoing': {'total': counts, 'seven_days': counts, 'last_hundred': {'pending': counts, 'final': counts, 'muted': counts}}},
        'outbound_push': {'backlog': 0},
        **{key: {'count': 0} for key in ('feedback', 'conflict', 'replication_limit', 'replication_failure', 'connected_users')},
    }


def allowed(headers):
    login = basic(headers)
    if not login or ask(f'{SERVER}/_all_dbs', login=':'.join(login))[0] != 200:
        raise Answer(401, {'code': 401, 'error': 'unauthorized'})


def respond(method, target, headers, body):
    path = target.partition('?')[0]
    if path == '/api/v1/startup-progress':
        return Answer(200, {'actions': {}, 'completed': state['ready']})
    if not state['ready']:
        if 'application/json' in (headers.get('accept') or ''):
            return Answer(503, {'error': 'Service unavailable'})
        # As in the original: whoever takes anything gets a page and 200, ready or not.
        return Answer(200, '<html><body>CHT is starting (double)</body></html>', {'content-type': 'text/html'})
    if path == '/setup/poll':
        return Answer(200, {'ready': True, 'handler': 'medic-api', 'version': VERSION, 'detail': 'All required services are running normally'})
    if path == '/api/info':
        return Answer(200, {'version': VERSION})
    if path in ('/api/v2/monitoring', '/api/v1/monitoring'):
        return Answer(200, monitoring())
    if path == '/api/v1/express-metrics':
        return Answer(200, '# TYPE double_up gauge\ndouble_up 1\n')
    if path == '/':
        return Answer(302, '', {'location': '/medic/login'})
    allowed(headers)
    if path == '/api/deploy-info':
        found = couch('medic/_design%2Fmedic')[1]['build_info']
        return Answer(200, {**found, 'build': VERSION, 'base_version': VERSION, 'author': 'double', 'user': COUCH.username, 'timestamp': found['time']})
    if re.match(r'/api/v[12]/upgrade(/|$)', path):
        return upgrade(method, path, body)
    # The rest is CouchDB's, as in the original.
    status, text, found = ask(f'{SERVER}{target}', method, body or None, login=LOGIN)
    return Answer(status, text, {'content-type': found.get('Content-Type', 'application/json')})


def main():
    if os.environ.get('DOUBLE_BROKEN'):
        time.sleep(2)
        print('api: fatal: this version is broken on purpose', flush=True)
        sys.exit(1)
    await_couch()
    server = serve(int(os.environ.get('API_PORT', '5988')), respond)
    threading.Thread(target=install, daemon=True).start()
    server.serve_forever()
