"""Double of cht-upgrade-service: runs compose on the files of a folder, with the habits of the original."""

import datetime
import glob
import json
import os
import random
import shutil
import string
import subprocess

from web import Answer, serve

FOLDER = os.environ.get('DOUBLE_COMPOSE', '/docker-compose')
PROJECT = os.environ.get('CHT_COMPOSE_PROJECT_NAME', 'cht')


def compose(*words):
    return subprocess.run(['docker', 'compose', '-p', PROJECT, *words], capture_output=True, text=True)


def is_valid(file):
    return os.path.isfile(file) and subprocess.run(['docker', 'compose', '-f', file, 'config'], capture_output=True).returncode == 0


def up():
    """Files that are not valid are left out without a word; with none left nothing happens, and that is success."""
    files = [file for file in sorted(glob.glob(f'{FOLDER}/*')) if is_valid(file)]
    if not files:
        return
    names = [word for file in files for word in ('-f', file)]
    done = compose(*names, 'up', '-d', '--remove-orphans')
    if done.returncode != 0:
        raise OSError(done.stderr)


def keep_old():
    if os.environ.get('CHT_BACKUP_COMPOSE_FILES') == 'false':
        return
    stamp = datetime.datetime.now().strftime('%Y-%m-%d-%H-%M-%S-%f')[:-3]
    mark = ''.join(random.choices(string.ascii_lowercase, k=4))
    folder = f'{FOLDER}/data/backup/{stamp}-{mark}'
    os.makedirs(folder)
    for file in glob.glob(f'{FOLDER}/*.yml'):
        shutil.copy(file, folder)


def take(files, wants_existing):
    """Each file on its own: checked, the old ones kept, overwritten in place, pulled. What fails stops there: the earlier stay."""
    answer = {}
    for name, text in files.items():
        path = f'{FOLDER}/{os.path.basename(name)}'
        if os.path.exists(path) != wants_existing:
            reason = 'Existing installation not found. Use /install' if wants_existing else 'Existing installation found. Use /upgrade'
            answer[name] = {'ok': False, 'reason': reason}
            continue
        draft = f'/tmp/{os.path.basename(name)}'
        with open(draft, 'w') as file:
            file.write(text)
        if not is_valid(draft):
            raise OSError(f'{name} is not valid')
        keep_old()
        with open(path, 'w') as file:
            file.write(text)
        # Where an image is here already nothing needs to be fetched; the double has no registry.
        pulled = compose('-f', path, 'pull', '--policy', 'missing')
        if pulled.returncode != 0:
            raise OSError(pulled.stderr)
        answer[name] = {'ok': True}
    return answer


def respond(method, path, headers, body):
    if method == 'GET' and path == '/':
        return Answer(200, {'ok': True})
    try:
        if (method, path) == ('POST', '/start'):
            up()
            return Answer(200, {'ok': True})
        if method == 'POST' and path in ('/upgrade', '/install'):
            files = json.loads(body or b'{}').get('docker_compose')
            if not files:
                return Answer(400, {'error': True, 'reason': 'Invalid payload.'})
            answer = take(files, path == '/upgrade')
            up()
            return Answer(200, answer)
    except OSError as error:
        return Answer(500, {'error': True, 'reason': str(error)[:2000]})
    return Answer(404, 'not found\n')


def main():
    try:
        up()
    except OSError as error:
        # Logged, not tried again: "the upgrade service runs" proves nothing.
        print(f'upgrade-service: {error}', flush=True)
    serve(5008, respond).serve_forever()
