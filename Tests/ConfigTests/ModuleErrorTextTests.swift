@testable import Config

extension ErrorTextTests {
    static let moduleMistakes: [Mistake] = [
        // Variables and rewrite.
        Mistake(.server, #"return 200 $nonsense;"#, 1, #"unknown "nonsense" variable"#),
        Mistake(.server, #"return 200 "$";"#, 1, #"invalid variable name"#),
        Mistake(.server, #"return 200 "${uri";"#, 1, #"the closing bracket in "uri" variable is missing"#),
        Mistake(.server, #"set host a;"#, 1, #"invalid variable name "host""#),
        Mistake(.server, #"set $host a;"#, 1, #"the duplicate "host" variable"#),
        Mistake(.server, #"set $http_referer a;"#, 1, #"the duplicate "http_referer" variable"#),
        Mistake(.server, #"set $ a;"#, 1, #"invalid variable name "$""#),
        Mistake(.server, #"rewrite a "";"#, 1, #"empty replacement"#),
        Mistake(.server, #"rewrite a /b now;"#, 1, #"invalid parameter "now""#),
        Mistake(.server, #"rewrite ( /b;"#, 1, #"pcre2_compile() failed: missing closing parenthesis in "(""#),
        Mistake(.server, #"return x;"#, 1, #"invalid return code "x""#),
        Mistake(.server, #"return 1000;"#, 1, #"invalid return code "1000""#),
        Mistake(.server, #"if $uri { }"#, 1, #"invalid condition "$uri""#),
        Mistake(.server, #"if ($uri = a { }"#, 1, #"invalid condition "a""#),
        Mistake(.server, #"if (uri) { }"#, 1, #"invalid condition "uri""#),
        Mistake(.server, #"if ($uri == a) { }"#, 1, #"unexpected "==" in condition"#),
        Mistake(.server, #"if (-z $uri) { }"#, 1, #"invalid condition "-z""#),
        Mistake(.server, #"if ($uri a) { }"#, 1, #"invalid condition "$uri""#),
        Mistake(.serverIf, #"add_header a b;"#, 1, #""add_header" directive is not allowed here"#),
        // Sizes that would overflow a sum of them, or that no memory holds.
        Mistake(
            .location, "proxy_buffer_size 9223372036854775807;", 1,
            #""proxy_buffer_size" directive value is too large, the most is 2048m"#),
        Mistake(
            .location, "proxy_buffers 9007199254740993 4k;", 1,
            #""proxy_buffers" directive value is too large, the most is 1048576 2048m"#),
        Mistake(
            .server, "large_client_header_buffers 4 3000m;", 1,
            #""large_client_header_buffers" directive value is too large, the most is 1048576 2048m"#),
        Mistake(
            .server, "client_max_body_size 9007199254740991k;", 1,
            #""client_max_body_size" directive value is too large, the most is 1048576g"#),
        // Proxy.
        Mistake(.location, #"proxy_pass ftp://a;"#, 1, #"invalid URL prefix"#),
        Mistake(.location, #"proxy_pass http://;"#, 1, #"no host in upstream """#),
        Mistake(.location, #"proxy_pass http://a:0;"#, 1, #"invalid port in upstream "a:0""#),
        Mistake(.location, #"proxy_pass http://a; proxy_pass http://b;"#, 1, #""proxy_pass" directive is duplicate"#),
        Mistake(
            .server, #"location ~ a { proxy_pass http://a/b; }"#, 1,
            #""proxy_pass" cannot have URI part in location given by regular expression, or inside named "#
                + #"location, or inside "if" statement, or inside "limit_except" block"#),
        Mistake(
            .locationIf, #"proxy_pass http://a/;"#, 1,
            #""proxy_pass" cannot have URI part in location given by regular expression, or inside named "#
                + #"location, or inside "if" statement, or inside "limit_except" block"#),
        Mistake(.location, #"proxy_redirect default;"#, 1, #""proxy_redirect default" should be placed after the "proxy_pass" directive"#),
        Mistake(
            .location, #"proxy_pass http://$host; proxy_redirect default;"#, 1,
            #""proxy_redirect default" cannot be used with "proxy_pass" directive with variables"#),
        Mistake(.location, #"proxy_redirect off; proxy_redirect a b;"#, 1, #""proxy_redirect" directive is duplicate"#),
        Mistake(.location, #"proxy_redirect on;"#, 1, #"invalid parameter "on""#),
        Mistake(.location, #"proxy_cookie_domain on;"#, 1, #"invalid parameter "on""#),
        Mistake(.location, #"proxy_cookie_path off; proxy_cookie_path a b;"#, 1, #""proxy_cookie_path" directive is duplicate"#),
        Mistake(.location, #"proxy_next_upstream error maybe;"#, 1, #"invalid value "maybe""#),
        Mistake(.location, #"proxy_ignore_headers Date;"#, 1, #"invalid value "Date""#),
        Mistake(.location, #"proxy_http_version 3;"#, 1, #"invalid value "3""#),
        Mistake(.location, #"proxy_bind x;"#, 1, #"invalid address "x""#),
        Mistake(.location, #"proxy_bind 127.0.0.1 opaque;"#, 1, #"invalid parameter "opaque""#),
        Mistake(.location, #"proxy_store "";"#, 1, #"empty path"#),
        Mistake(.location, #"proxy_store_access user:x;"#, 1, #"invalid value "user:x""#),
        Mistake(.http, "server {\nlocation / {\nproxy_buffer_size 64k;\n}\n}", 3,
            #""proxy_busy_buffers_size" must be less than the size of all "proxy_buffers" minus one buffer"#),
        Mistake(
            .location, "proxy_ssl_verify maybe;", 1, #"invalid value "maybe" in "proxy_ssl_verify" directive, it must be "on" or "off""#),
        Mistake(.http, "fastcgi_keep_conn yes;", 1, #"invalid value "yes" in "fastcgi_keep_conn" directive, it must be "on" or "off""#),
        Mistake(.main, "thread_pool x threads=0;", 1, #"invalid threads value "threads=0""#),
        Mistake(.main, "thread_pool x thread=4;", 1, #"invalid parameter "thread=4""#),
        Mistake(.events, "worker_connections 0;", 1, "0 worker_connections are not enough for 0 listening sockets"),
        Mistake(.http, "server {\nproxy_buffers 1 4k;\n}", 2, #"there must be at least 2 "proxy_buffers""#),
        Mistake(
            .http, "server {\nproxy_busy_buffers_size 1k;\n}", 2,
            #""proxy_busy_buffers_size" must be equal to or greater than the maximum of the value of "#
                + #""proxy_buffer_size" and one of the "proxy_buffers""#),
        Mistake(
            .http, "server {\nproxy_busy_buffers_size 64k;\n}", 2,
            #""proxy_busy_buffers_size" must be less than the size of all "proxy_buffers" minus one buffer"#),
        Mistake(
            .http, "server {\nproxy_max_temp_file_size 1k;\n}", 2,
            #""proxy_max_temp_file_size" must be equal to zero to disable temporary files usage or must be equal "#
                + #"to or greater than the maximum of the value of "proxy_buffer_size" and one of the "proxy_buffers""#),
        // Upstreams.
        Mistake(.http, #"upstream u { }"#, 1, #"no servers are inside upstream"#),
        Mistake(.http, "upstream u { server a; }\nupstream U { server a; }", 2, #"duplicate upstream "U""#),
        Mistake(.http, "upstream u { server 127.0.0.1 backup; }", 1, #"no servers in upstream "u""#),
        Mistake(.upstream, #"server a:99999;"#, 1, #"invalid port in upstream "a:99999""#),
        Mistake(.upstream, #"server http://a;"#, 1, #"invalid host in upstream "http://a""#),
        Mistake(.upstream, #"server a weight=0;"#, 1, #"invalid parameter "weight=0""#),
        Mistake(.upstream, #"server a max_fails=x;"#, 1, #"invalid parameter "max_fails=x""#),
        Mistake(.upstream, #"server a nonsense;"#, 1, #"invalid parameter "nonsense""#),
        Mistake(.upstream, "ip_hash;\nserver a backup;", 2, #"balancing method does not support parameter "backup""#),
        Mistake(.upstream, #"server a route=;"#, 1, #"route is empty"#),
        Mistake(.upstream, #"server a service=;"#, 1, #"service is empty"#),
        Mistake(.upstream, #"server a service=b;"#, 1, #"service upstream "a" requires "resolve" parameter"#),
        Mistake(
            .http, "upstream u { zone z 1m; resolver 127.0.0.1;\nserver a:1 service=b resolve; }", 2,
            #"service upstream "a:1" may not have port"#),
        Mistake(
            .http, "upstream u { zone z 1m; resolver 127.0.0.1;\nserver a service=b resolve; }", 2,
            #"the parameter "service=" is known to nginx, but not supported by Goodgate yet: "#
                + "SRV records are not read; name the host and its port"),
        Mistake(
            .http, "upstream u {\nserver a resolve; }", 1,
            #"resolving names at run time requires upstream "u" to be in shared memory"#),
        Mistake(
            .http, "upstream u { zone z 1m;\nserver a resolve; }", 1,
            #"no resolver defined to resolve names at run time in upstream "u""#),
        Mistake(.upstream, #"server a; keepalive x;"#, 1, #"invalid value "x" in "keepalive" directive"#),
        Mistake(.upstream, #"server a; zone z 1k;"#, 1, #"zone "z" is too small"#),
        Mistake(.upstream, #"server a; zone z x;"#, 1, #"invalid zone size "x""#),
        Mistake(.upstream, #"server a; hash $uri odd;"#, 1, #"invalid parameter "odd""#),
        Mistake(.upstream, #"server a; random three;"#, 1, #"invalid parameter "three""#),
        Mistake(.upstream, #"server a; least_time body;"#, 1, #"invalid value "body""#),
        Mistake(.upstream, #"server a; sticky cookie "";"#, 1, #""sticky" directive empty cookie name"#),
        Mistake(.upstream, #"server a; sticky cookie a path=;"#, 1, #""sticky" directive no value for "path""#),
        Mistake(.upstream, #"server a; sticky cookie a secure secure;"#, 1, #""sticky" directive parameter "secure" is duplicate"#),
        Mistake(.upstream, #"server a; sticky cookie a samesite=x;"#, 1, #""sticky" directive invalid "samesite" parameter value"#),
        Mistake(.upstream, #"server a; sticky cookie a color=x;"#, 1, #"unknown parameter "color=x""#),
        Mistake(.upstream, #"server a; sticky glue a;"#, 1, #"unknown parameter "glue""#),
        Mistake(.upstream, #"server a; sticky route a;"#, 1, #"invalid variable name "a""#),
        Mistake(
            .upstream, #"server a; sticky learn zone=z:1m create=$uri;"#, 1,
            #""sticky" directive "lookup" parameter is not specified"#),
        Mistake(
            .upstream, #"server a; sticky learn zone=z:1m lookup=$uri;"#, 1,
            #""sticky" directive "create" parameter is not specified"#),
        Mistake(
            .upstream, #"server a; sticky learn create=$uri lookup=$uri;"#, 1,
            #""sticky" directive "zone" parameter is not specified"#),
        Mistake(.upstream, #"server a; sticky learn zone=z;"#, 1, #""sticky" directive zone size is not specified"#),
        Mistake(
            .http, "upstream u { server a; }\nserver { location / { proxy_pass http://u:80; } }", 2,
            #"upstream "u" may not have port 80"#),
        // Limits.
        Mistake(.http, #"limit_req_zone $uri zone=a rate=1r/s;"#, 1, #"invalid zone size "zone=a""#),
        Mistake(.http, #"limit_req_zone $uri zone=a:1k rate=1r/s;"#, 1, #"zone "zone=a:1k" is too small"#),
        Mistake(
            .http, #"limit_conn_zone $uri zone=a:257m;"#, 1,
            #"zone "a" is too large: 256m is the most, and holds 4 million keys"#),
        Mistake(.http, #"limit_req_zone $uri zone=a:1m rate=x;"#, 1, #"invalid rate "rate=x""#),
        Mistake(
            .http, "limit_req_zone $uri zone=a:1m rate=1r/s;\nlimit_req_zone $host zone=a:1m rate=1r/s;", 2,
            #"limit_req_zone "a" is already bound to key "$uri""#),
        Mistake(.http, #"limit_req burst=1;"#, 1, #""limit_req" must have "zone" parameter"#),
        Mistake(.http, #"limit_req zone=none;"#, 1, #"zero size shared memory zone "none""#),
        Mistake(.http, "limit_req_zone $uri zone=a:1m rate=1r/s;\nlimit_req zone=a burst=0;", 2, #"invalid burst value "burst=0""#),
        Mistake(
            .http, "limit_req_zone $uri zone=a:1m rate=1r/s;\nlimit_req zone=a; limit_req zone=a;", 2,
            #""limit_req" directive is duplicate"#),
        Mistake(
            .http, "limit_req_zone $uri zone=a:1m rate=1r/s;\nlimit_conn_zone $uri zone=a:1m;", 2,
            #"the shared memory zone "a" is already declared for a different use"#),
        Mistake(
            .http, "upstream u { server 127.0.0.1; zone z 1m; }\nupstream v { server 127.0.0.1; zone z 2m; }", 2,
            #"the size 2097152 of shared memory zone "z" conflicts with already declared size 1048576"#),
        Mistake(.http, "upstream u { server 127.0.0.1; zone z; }", 1, #"zero size shared memory zone "z""#),
        Mistake(.http, "limit_conn none x;", 1, #"invalid number of connections "x""#),
        Mistake(.http, "limit_conn none 1;", 1, #"zero size shared memory zone "none""#),
        Mistake(.location, #"proxy_bind unix:/a;"#, 1, #"invalid address "unix:/a""#),
        Mistake(.server, #"charset $;"#, 1, #"invalid variable name "$""#),
        Mistake(.http, #"aio sometimes;"#, 1, #""aio" directive invalid value"#),
        Mistake(.main, #"worker_priority high;"#, 1, #""worker_priority" directive invalid number"#),
        Mistake(.main, #"worker_cpu_affinity 01x;"#, 1, #"invalid character "x" in "worker_cpu_affinity""#),
        Mistake(.http, #"limit_req_status 200;"#, 1, #"value must be between 400 and 599"#),
        Mistake(
            .http, (1...9).map { "limit_conn_zone $uri zone=z\($0):1m; limit_conn z\($0) 1;" }.joined(separator: "\n"), 9,
            #"more than 8 "limit_conn" in one place are not supported"#),
        Mistake(.http, "limit_conn_zone $uri zone=a:1m;\nlimit_conn a 0;", 2, #"invalid number of connections "0""#),
        Mistake(.http, "limit_conn_zone $uri zone=a:1m;\nlimit_conn a 65536;", 2, #"connection limit must be less 65536"#),
        // Logs.
        Mistake(.http, "log_format a b;\nlog_format a c;", 2, #"duplicate "log_format" name "a""#),
        Mistake(.http, #"log_format a escape=x b;"#, 1, #"unknown log format escaping "x""#),
        Mistake(.http, #"log_format a "b $";"#, 1, #"invalid parameter "$""#),
        Mistake(.http, #"access_log a.log none;"#, 1, #"unknown log format "none""#),
        Mistake(.http, #"access_log off x;"#, 1, #"invalid parameter "x""#),
        Mistake(.http, #"access_log a.log combined buffer=0;"#, 1, #"invalid buffer size "0""#),
        Mistake(.http, #"access_log a.log combined flush=1s;"#, 1, #"no buffer is defined for access_log "a.log""#),
        Mistake(.http, #"access_log $host.log combined buffer=1k;"#, 1, #"buffered logs cannot have variables in name"#),
        Mistake(.http, #"access_log a.log combined gzip=10;"#, 1, #"invalid compression level "10""#),
        Mistake(
            .http, "access_log a.log combined buffer=1k;\naccess_log a.log combined buffer=2k;", 2,
            #"access_log "a.log" already defined with conflicting parameters"#),
        Mistake(.http, #"open_log_file_cache valid=1s;"#, 1, #""open_log_file_cache" must have "max" parameter"#),
        // Maps.
        Mistake(.http, #"map $uri x { }"#, 1, #"invalid variable name "x""#),
        Mistake(.http, #"map $uri $host { }"#, 1, #"the duplicate "host" variable"#),
        Mistake(.http, #"map $uri $x { a; }"#, 1, #"invalid number of the map parameters"#),
        Mistake(.http, #"map $uri $x { default 1; default 2; }"#, 1, #"duplicate default map parameter"#),
        Mistake(.http, #"map $uri $x { a 1; A 2; }"#, 1, #"conflicting parameter "A""#),
        Mistake(.http, #"map $uri $x { hostnames; a.*.b 1; }"#, 1, #"invalid hostname or wildcard "a.*.b""#),
        Mistake(.http, #"map $uri $x { ~( 1; }"#, 1, #"pcre2_compile() failed: missing closing parenthesis in "(""#),
        Mistake(.http, #"geo $x { 1.2.3 a; }"#, 1, #"invalid network "1.2.3""#),
        Mistake(.http, #"geo $x { 1.2.3.4 a; ranges; }"#, 1, #"the "ranges" directive must be the first directive inside "geo" block"#),
        Mistake(.http, #"geo $x { ranges; 1.2.3.4 a; }"#, 1, #"invalid range "1.2.3.4""#),
        Mistake(
            .http, #"geo $x { ranges; 1.2.3.4-1.2.3.9 a; 1.2.3.8-1.2.3.10 b; }"#, 1,
            #"range "1.2.3.8-1.2.3.10" overlaps "1.2.3.4-1.2.3.9""#),
        Mistake(.http, #"split_clients $uri $x { 60% a; 50% b; }"#, 1, #"percent total is greater than 100%"#),
        Mistake(.http, #"split_clients $uri $x { 0% a; }"#, 1, #"invalid percent value "0%""#),
        // Small modules.
        Mistake(.server, #"allow 1.2.3;"#, 1, #"invalid parameter "1.2.3""#),
        Mistake(.server, #"add_header a b sometimes;"#, 1, #"invalid parameter "sometimes""#),
        Mistake(.server, #"expires soon;"#, 1, #""expires" directive invalid value"#),
        Mistake(.server, #"expires modified @1h;"#, 1, #""expires" directive daily time cannot be used with "modified" parameter"#),
        Mistake(.server, #"expires @25h;"#, 1, #""expires" directive daily time value must be less than 24 hours"#),
        Mistake(.server, #"gzip_comp_level 10;"#, 1, #"value must be between 1 and 9"#),
        Mistake(.server, #"gzip_window 3k;"#, 1, #""gzip_window" directive must be 512, 1k, 2k, 4k, 8k, 16k, or 32k"#),
        Mistake(.server, #"gzip_proxied sometimes;"#, 1, #"invalid value "sometimes""#),
        Mistake(.server, #"sub_filter "" b;"#, 1, #"empty search pattern"#),
        Mistake(.http, #"charset_map a A { }"#, 1, #""charset_map" between the same charsets "a" and "A""#),
        Mistake(.http, #"charset_map utf-8 a { }"#, 1, #""charset_map" with "utf-8" charset should be given in the second column"#),
        Mistake(.http, #"charset_map a utf-8 { 100 20; }"#, 1, #"invalid value "100""#),
        Mistake(.server, #"valid_referers ~;"#, 1, #"empty regex in "~""#),
        Mistake(
            .http, "server {\nvalid_referers none;\n}", 1,
            #"the "none" or "blocked" referers are specified in the "valid_referers" directive without any valid "#
                + #"referer"#),
        Mistake(.server, #"stub_status a b;"#, 1, #"invalid number of arguments in "stub_status" directive"#),
    ]
}
