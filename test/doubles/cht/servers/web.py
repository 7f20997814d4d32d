"""What all servers of the double share: HTTP in and out."""

import base64
import json
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(Exception):
    """Ends a request with this status and body."""

    def __init__(self, status, body=None, headers=None):
        super().__init__(status)
        self.status, self.body, self.headers = status, body, headers or {}


def serve(port, respond, wrap=None):
    """Answers requests with respond(method, path, headers, body); returns the server, already running in a thread."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'

        def handle_any(self):
            body = self.rfile.read(int(self.headers.get('content-length') or 0))
            try:
                answer = respond(self.command, self.path, self.headers, body)
            except Answer as found:
                answer = found
            self.send(answer)

        do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = handle_any

        def send(self, answer):
            body = answer.body
            kind = answer.headers.get('content-type')
            if isinstance(body, (dict, list)):
                body, kind = json.dumps(body) + '\n', kind or 'application/json'
            raw = body if isinstance(body, bytes) else (body or '').encode()
            self.send_response(answer.status)
            self.send_header('content-type', kind or 'text/plain')
            self.send_header('content-length', str(len(raw)))
            for name, value in answer.headers.items():
                if name != 'content-type':
                    self.send_header(name, value)
            self.end_headers()
            if self.command != 'HEAD':
                self.wfile.write(raw)

        def log_message(self, form, *args):
            print(self.command, self.path.split('?')[0], args[1] if len(args) > 1 else '', flush=True)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        allow_reuse_address = True

    server = Server(('0.0.0.0', port), Handler)
    if wrap:
        server.socket = wrap(server.socket)
    return server


def ask(url, method='GET', body=None, headers=None, timeout=10, login=None):
    """Returns (status, text, headers); raises OSError where nobody answers."""
    sent = dict(headers or {})
    if login:
        sent['authorization'] = 'Basic ' + base64.b64encode(login.encode()).decode()
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    if data is not None:
        sent.setdefault('content-type', 'application/json')
    request = urllib.request.Request(url, data=data, headers=sent, method=method)
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=timeout) as found:
            return found.status, found.read(), dict(found.headers)
    except urllib.error.HTTPError as error:
        return error.code, error.read(), dict(error.headers)


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


def basic(headers):
    """Returns (user, password) of a request, or None."""
    kind, _, value = (headers.get('authorization') or '').partition(' ')
    if kind.lower() != 'basic':
        return None
    user, _, password = base64.b64decode(value).decode().partition(':')
    return user, password
