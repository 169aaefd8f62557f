/// The application of the tests that need no more of it than to live, to be asked, and to die.
enum AppProgram {
    /// Python. Listens on $PORT, after as many seconds as its first argument says, and answers with its process id. A POST is noted in
    /// the file `posts` of its directory. With the second argument `checked`, `/health` is 200 while the file `well` exists there and
    /// `sick-PID` does not, else 503. $BACKLOG is the length of its accept queue, 128 unless it says otherwise.
    static let source = """
        import http.server, os, socketserver, sys, time
        time.sleep(float(sys.argv[1]) if len(sys.argv) > 1 else 0)
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # head and body in one write: a kill between them leaves half an answer
            def isSick(self):
                if self.path != "/health" or "checked" not in sys.argv: return False
                return not os.path.exists("well") or os.path.exists("sick-%d" % os.getpid())
            def do_GET(self):
                body = str(os.getpid()).encode()
                self.send_response(503 if self.isSick() else 200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            def do_POST(self):
                self.rfile.read(int(self.headers.get("Content-Length", "0")))
                with open("posts", "a") as file: file.write("x")
                self.do_GET()
            def log_message(self, *arguments): pass
        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            request_queue_size = int(os.environ.get("BACKLOG", "128"))
        Server(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
        """
}
