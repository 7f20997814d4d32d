"""Doubles of the services in front of the database and of the application: haproxy, nginx, nouveau, sentinel."""

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

from web import Answer, ask, serve

PRIVATE = os.environ.get('SSL_VOLUME_MOUNT_PATH', '/etc/nginx/private/')


def forward(upstream, refusal):
    """Returns a responder that hands requests on, and answers with the refusal where nobody is there."""

    def respond(method, path, headers, body):
        sent = {name: value for name, value in headers.items() if name.lower() not in ('host', 'connection')}
        try:
            status, text, found = ask(upstream + path, method, body or None, sent, timeout=3600)
        except OSError:
            raise refusal() from None
        return Answer(status, text, {'content-type': found.get('Content-Type', 'text/plain'), **only(found, 'Location')})

    return respond


def only(headers, name):
    return {name: headers[name]} if name in headers else {}


def haproxy():
    upstream = f"http://{os.environ.get('COUCHDB_SERVERS', 'couchdb').split(',')[0]}:5984"
    refusal = lambda: Answer(503, '<html><body><h1>503 Service Unavailable</h1></body></html>', {'content-type': 'text/html'})
    serve(int(os.environ.get('HAPROXY_PORT', '5984')), forward(upstream, refusal)).serve_forever()


def nouveau():
    os.makedirs('/data/nouveau', exist_ok=True)
    serve(5987, lambda *_: Answer(200, {'nouveau': 'double'})).serve_forever()


def sentinel():
    """Waits for the API for ever: any answer counts."""
    while True:
        try:
            ask(f"http://{os.environ.get('API_HOST', 'api')}:5988/")
            print('sentinel: the API answers', flush=True)
            break
        except OSError:
            time.sleep(1)
    threading.Event().wait()


def healthcheck():
    """Says to haproxy, in its language, whether all nodes of the cluster are there."""
    upstream = f"http://{os.environ.get('COUCHDB_SERVERS', 'couchdb').split(',')[0]}:5984/_membership"
    login = f"{os.environ.get('COUCHDB_USER', 'admin')}:{os.environ.get('COUCHDB_PASSWORD', '')}"
    with socket.create_server(('0.0.0.0', 5555)) as server:
        while True:
            connection, _ = server.accept()
            with connection:
                connection.sendall(b'up\n' if is_whole(upstream, login) else b'down\n')


def is_whole(upstream, login):
    try:
        _, text, _ = ask(upstream, login=login, timeout=1)
        found = json.loads(text)
        return found['all_nodes'] == found['cluster_nodes']
    except (OSError, ValueError, KeyError):
        return False


def nginx():
    certify(os.environ.get('CERTIFICATE_MODE', 'SELF_SIGNED'))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    cert, key = certificate_files()
    context.load_cert_chain(cert, key)
    # `nginx -s reload`: new connections get the new certificate.
    signal.signal(signal.SIGHUP, lambda *_: context.load_cert_chain(cert, key))
    refusal = lambda: Answer(502, '<html><body><h1>502 Bad Gateway</h1></body></html>', {'content-type': 'text/html'})
    upstream = f"http://{os.environ.get('API_HOST', 'api')}:{os.environ.get('API_PORT', '5988')}"
    threading.Thread(target=serve(80, plain).serve_forever, daemon=True).start()
    serve(443, forward(upstream, refusal), lambda it: context.wrap_socket(it, server_side=True, do_handshake_on_connect=False)).serve_forever()


def plain(method, path, headers, body):
    """Port 80: everything is sent to https, but the proofs for certificates."""
    webroot = f'{PRIVATE}/certbot'
    clean = os.path.normpath(urllib.parse.unquote(path.partition('?')[0]))
    if clean.startswith('/.well-known/acme-challenge'):
        file = webroot + clean
        file = f'{file}/index.html' if os.path.isdir(file) else file
        if not os.path.isfile(file):
            raise Answer(404, 'not found\n')
        with open(file, 'rb') as found:
            raise Answer(200, found.read())
    raise Answer(301, '', {'location': f"https://{headers.get('host', '')}{path}"})


def certificate_files():
    return (
        os.environ.get('SSL_CERT_FILE_PATH', f'{PRIVATE}/cert.pem'),
        os.environ.get('SSL_KEY_FILE_PATH', f'{PRIVATE}/key.pem'),
    )


def certify(mode):
    cert, key = certificate_files()
    here = [os.path.exists(cert), os.path.exists(key)]
    if mode not in ('SELF_SIGNED', 'OWN_CERT', 'AUTO_GENERATE') or (mode == 'OWN_CERT' and not any(here)):
        print(f'nginx: certificate mode {mode} cannot be served', flush=True)
        sys.exit(1)
    if mode == 'AUTO_GENERATE':
        folder = f'{PRIVATE}/certbot/.well-known/acme-challenge'
        os.makedirs(folder, exist_ok=True)
        with open(f'{folder}/index.html', 'w') as file:
            file.write(mode)
        with open(f'{PRIVATE}/deploy.sh', 'w') as file:
            file.write(f'#!/bin/sh\ncp "$RENEWED_LINEAGE/fullchain.pem" {cert}\ncp "$RENEWED_LINEAGE/privkey.pem" {key}\n')
        os.chmod(f'{PRIVATE}/deploy.sh', 0o755)
    if mode != 'OWN_CERT' and not all(here):
        name = os.environ.get('COMMON_NAME', 'test-nginx.dev.medicmobile.org')
        words = ['openssl', 'req', '-x509', '-nodes', '-newkey', 'rsa:2048', '-days', '365', '-subj', f'/CN={name}']
        subprocess.run([*words, '-out', cert, '-keyout', key], check=True, stderr=subprocess.DEVNULL)
