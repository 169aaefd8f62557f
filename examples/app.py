#!/usr/bin/env python3
"""The smallest web application worth killing: says who it is.  app.py [PORT [NAME]]; without PORT that of the environment."""
import http.server
import os
import sys

PORT = int(sys.argv[1] if len(sys.argv) > 1 else os.environ['PORT'])
NAME = sys.argv[2] if len(sys.argv) > 2 else f'instance on port {PORT}'


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        length = int(self.headers.get('Content-Length') or 0)
        body = self.rfile.read(length)
        text = f'{NAME}, process {os.getpid()}: {self.command} {self.path}, {len(body)} bytes of body\n'.encode()
        self.send_response(200)
        self.send_header('Content-Type', 'text/plain')
        self.send_header('Content-Length', str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_DELETE = answer

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


try:
    Server(('127.0.0.1', PORT), Handler).serve_forever()
except KeyboardInterrupt:
    pass
