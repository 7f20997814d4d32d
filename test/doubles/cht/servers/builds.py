"""Double of the server that publishes builds: one document a version, its compose files as attachments."""

import base64
import os
import urllib.parse

from web import Answer, serve

FOLDER = os.environ.get('DOUBLE_BUILDS', '/builds')


def respond(method, path, headers, body):
    ident = urllib.parse.unquote(path.partition('?')[0].rpartition('/')[2])
    version = os.path.basename(ident.rpartition(':')[2])
    folder = f'{FOLDER}/{version}'
    if not ident.startswith('medic:medic:') or not os.path.isdir(folder):
        raise Answer(404, {'error': 'not_found', 'reason': 'missing'})
    attachments = {}
    for name in sorted(os.listdir(folder)):
        with open(f'{folder}/{name}', 'rb') as file:
            attachments[f'docker-compose/{name}'] = {'content_type': 'application/yaml', 'data': base64.b64encode(file.read()).decode()}
    return Answer(200, {'_id': ident, '_attachments': attachments})


def main():
    serve(80, respond).serve_forever()
