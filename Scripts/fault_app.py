"""The applications that Scripts/faults.py breaks:  fault_app.py MODE ADDRESS [ARGUMENT]

ADDRESS is HOST:PORT, [HOST]:PORT, a path, or @FILE with one of these. Modes: http (serves; the path of a request says what goes
wrong), resets (resets each connection when its request is there), idle (closes a kept connection when its second request comes), boots
(serves after ARGUMENT seconds), banner (greets with
ARGUMENT, as servers of other protocols do), close (accepts and closes), deaf (never accepts; ARGUMENT is its backlog), tls (serves with
the certificate ARGUMENT), sni (the same, but only for a client that names example.test, and with a 400 in plain text for plain text, as
nginx has it), dns (answers that no name exists).
"""
import os, socket, ssl, struct, sys, threading, time

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def listener(address, backlog=128):
    if address.startswith("/"):
        if os.path.exists(address): os.unlink(address)
        server = socket.socket(socket.AF_UNIX)
        server.bind(address)
        os.chmod(address, 0o777)
    else:
        host, port = address.rsplit(":", 1)
        server = socket.socket(socket.AF_INET6 if host.startswith("[") else socket.AF_INET)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            server.bind((host.strip("[]"), int(port)))
        except OSError as error:
            # As Node says it.
            print(f"Error: listen EADDRINUSE: address already in use {address}: {error}", file=sys.stderr, flush=True)
            sys.exit(1)
    server.listen(backlog)
    return server


def read_head(connection):
    data = b""
    while b"\r\n\r\n" not in data:
        piece = connection.recv(65536)
        if not piece: return None
        data += piece
    return data


def http(connection):
    with connection:
        while (data := read_head(connection)) is not None:
            path = data.split(b" ", 2)[1].decode()
            if path.startswith("/abort"): os.abort()
            if path.startswith("/eat"): globals()["eaten"] = b"x" * (70 << 20)
            if path.startswith("/slow"): time.sleep(5)
            if path.startswith("/big"):
                connection.sendall(b"HTTP/1.1 200 OK\r\nX-Big: " + b"b" * 40000 + b"\r\nContent-Length: 3\r\n\r\nok\n")
                return
            if path.startswith("/chunk"):
                connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok\r\n0\r\n\r\n")
                return
            if path.startswith("/framing"):
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nok\n\r\n0\r\n\r\n")
                return
            if path.startswith("/503"):
                connection.sendall(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 5\r\n\r\nbusy\n")
                continue
            if path.startswith("/drop"): return
            if sys.argv[1] == "resets":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            connection.sendall(OK)


def idle(connection):
    with connection:
        if read_head(connection) is None: return
        connection.sendall(OK)
        read_head(connection)


def serve(server, handler):
    while True:
        connection, _ = server.accept()
        threading.Thread(target=handler, args=(connection,), daemon=True).start()


def banner(connection):
    with connection:
        connection.sendall(sys.argv[3].encode() + b"\r\n")
        time.sleep(0.2)


def dns(address):
    host, port = address.rsplit(":", 1)
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind((host, int(port)))
    while True:
        question, client = server.recvfrom(512)
        server.sendto(question[:2] + b"\x81\x83" + question[4:6] + bytes(6) + question[12:], client)


def main():
    mode, address = sys.argv[1:3]
    if address.startswith("@"): address = open(address[1:]).read()
    if mode == "dns": return dns(address)
    if mode == "deaf":
        server = listener(address, int(sys.argv[3]))
        time.sleep(3600)
    if mode == "boots": time.sleep(float(sys.argv[3]))
    server = listener(address)
    if mode in ("tls", "sni"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(sys.argv[3])
        def choose(_, name, __): return None if name == "example.test" else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
        if mode == "sni": context.sni_callback = choose
        def secure(connection):
            if mode == "sni" and connection.recv(1, socket.MSG_PEEK) not in (b"", b"\x16"):
                with connection: return connection.sendall(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
            try: http(context.wrap_socket(connection, server_side=True))
            except (ssl.SSLError, OSError): connection.close()
        return serve(server, secure)
    print(f"listening on {address}", flush=True)
    serve(server, {"idle": idle, "banner": banner, "close": lambda c: c.close()}.get(mode, http))


main()
