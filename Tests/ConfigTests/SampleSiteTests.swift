import Testing

@testable import Config

/// A configuration in the style of real sites.
struct Site: CustomTestStringConvertible, Sendable {
    var name: String
    var text: String
    var testDescription: String { name }
}

@Suite("Configurations in the style of real sites are taken without errors")
struct SampleSiteTests {
    @Test("no error and no warning", arguments: sites)
    func site(site: Site) {
        let outcome = parse(site.text, files: Self.files)
        #expect(outcome.errors == [])
        #expect(outcome.warnings == [])
    }

    @Test("the snippet of the seed, unchanged, means what it says")
    func seed() throws {
        let configuration = try #require(parse("events { }\nhttp {\n" + Self.seedSnippet + "\n}\n").configuration)
        let upstream = try #require(configuration.http?.upstreams.first)
        #expect(upstream.servers.map(\.maxFails) == [3, 3])
        #expect(upstream.servers.map(\.isBackup) == [false, true])
        #expect(upstream.keepalive?.connections == 32)
        let proxy = configuration.location("/").proxy
        #expect(proxy.nextUpstream == [.error, .timeout, .http502, .http503])
        #expect(proxy.nextUpstreamTries == 2)
        #expect(proxy.connectTimeout == 5_000)
        let page = configuration.location("/502.html")
        #expect(page.core.isInternal)
        #expect(page.core.root.constant == bytes("/var/www/errors"))
        #expect(configuration.serverSettings.core.errorPages.map(\.status) == [502])
    }

    static let files = [
        "/etc/nginx/mime.types": "types {\n    text/html html htm shtml;\n    text/css css;\n    image/svg+xml svg svgz;\n}\n",
        "/etc/nginx/proxy_params":
            "proxy_set_header Host $http_host;\nproxy_set_header X-Real-IP $remote_addr;\n"
            + "proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;\nproxy_set_header X-Forwarded-Proto $scheme;\n",
        "/etc/nginx/fastcgi_params": "fastcgi_param QUERY_STRING $query_string;\nfastcgi_param HTTPS $https if_not_empty;\n",
        "/etc/nginx/sites-enabled/default": "server { listen 8080 default_server; listen [::]:8080 default_server; root /var/www/html; }\n",
    ]

    static let seedSnippet = """
        upstream backend { server 127.0.0.1:3000 max_fails=3 fail_timeout=10s; \
        server 127.0.0.1:3001 max_fails=3 fail_timeout=10s backup; keepalive 32; }
        server { location / { proxy_pass http://backend; proxy_next_upstream error timeout http_502 http_503; \
        proxy_next_upstream_tries 2; proxy_connect_timeout 5s; }
                 error_page 502 /502.html; location = /502.html { root /var/www/errors; internal; } }
        """

    static let sites: [Site] = [
        Site(name: "the seed", text: "events { }\nhttp {\n" + seedSnippet + "\n}\n"),
        Site(
            name: "the file that Debian installs",
            text: """
                user www-data;
                worker_processes auto;
                pid /run/nginx.pid;
                error_log /var/log/nginx/error.log;
                include /etc/nginx/modules-enabled/*.conf;
                events { worker_connections 768; }
                http {
                    sendfile on; tcp_nopush on; types_hash_max_size 2048;
                    include /etc/nginx/mime.types;
                    default_type application/octet-stream;
                    ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
                    ssl_prefer_server_ciphers on;
                    access_log /var/log/nginx/access.log;
                    gzip on;
                    include /etc/nginx/conf.d/*.conf;
                    include /etc/nginx/sites-enabled/*;
                }
                """),
        Site(
            name: "an application with WebSocket and static files",
            text: """
                events { }
                http {
                    map $http_upgrade $connection_upgrade { default upgrade; '' close; }
                    upstream app { least_conn; server 127.0.0.1:3000 fail_timeout=0; server 127.0.0.1:3001 fail_timeout=0; }
                    log_format main '$remote_addr - $remote_user [$time_local] "$request" '
                                    '$status $body_bytes_sent "$http_referer" rt=$request_time uct="$upstream_connect_time"';
                    server {
                        listen 80; listen [::]:80; server_name example.com www.example.com;
                        access_log /var/log/nginx/app.log main buffer=16k flush=1m;
                        client_max_body_size 80m; keepalive_timeout 70;
                        root /srv/app/public;
                        gzip on; gzip_disable "msie6"; gzip_vary on; gzip_proxied any; gzip_comp_level 6; gzip_buffers 16 8k;
                        gzip_types text/plain text/css application/json;
                        location / { try_files $uri @app; }
                        location ~ ^/(assets|packs)/ { expires max; add_header Cache-Control public; gzip_static on; }
                        location @app {
                            include proxy_params; proxy_set_header Proxy ""; proxy_pass_header Server;
                            proxy_pass http://app; proxy_redirect off; proxy_buffering on; tcp_nodelay on;
                        }
                        location /ws {
                            proxy_pass http://app; proxy_http_version 1.1; proxy_read_timeout 3600s;
                            proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
                        }
                        location ~ /\\.(?!well-known) { deny all; access_log off; log_not_found off; }
                        error_page 500 502 503 504 /500.html;
                    }
                    server { listen 80; server_name old.example; return 301 $scheme://example.com$request_uri; }
                }
                """),
        Site(
            name: "a gateway of several services with limits",
            text: """
                worker_processes 2;
                worker_rlimit_nofile 65535;
                events { worker_connections 4096; multi_accept on; use epoll; }
                http {
                    server_tokens off; underscores_in_headers on; large_client_header_buffers 4 32k;
                    limit_req_zone $binary_remote_addr zone=api:10m rate=10r/s;
                    limit_conn_zone $server_name zone=perserver:10m;
                    limit_req_status 429;
                    set_real_ip_from 10.0.0.0/8; set_real_ip_from 172.16.0.0/12; real_ip_header X-Forwarded-For; real_ip_recursive on;
                    geo $internal { default 0; 10.0.0.0/8 1; 127.0.0.1 1; }
                    split_clients $remote_addr $variant { 10% beta; * stable; }
                    upstream users { zone users 64k; server 10.0.0.1:80 weight=2; server 10.0.0.2:80; keepalive 16; }
                    upstream orders { hash $cookie_session consistent; server 10.0.1.1; server 10.0.1.2; }
                    server {
                        listen 80 default_server backlog=1024 so_keepalive=on; server_name _;
                        location /api/users/ { limit_req zone=api burst=20 nodelay; proxy_pass http://users/; }
                        location /api/orders/ {
                            limit_conn perserver 100; proxy_pass http://orders; proxy_set_header X-Variant $variant;
                            proxy_cookie_path /orders /; proxy_intercept_errors on; error_page 404 = @missing;
                        }
                        location @missing { return 404 '{"error":"not found"}'; }
                        location = /status { stub_status; allow 127.0.0.1; deny all; }
                        location / {
                            if ($request_method !~ ^(GET|HEAD|POST)$) { return 405; }
                            if ($internal) { set $target users; }
                            rewrite ^/old/(.*)$ /new/$1 permanent;
                            return 404;
                        }
                    }
                }
                """),
        Site(
            name: "an app under supervision",
            text: AppTests.example),
    ]
}
