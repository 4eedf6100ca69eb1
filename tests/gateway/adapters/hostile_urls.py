"""Addresses that an attacker would have the gateway call, and ones that it must be able to call.

The lists are written down, not made by the code that they judge.
"""

from __future__ import annotations

INWARD_V4 = (
    "0.0.0.0",  # noqa: S104 - judged, not listened on
    *("0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.127.255.254"),
    *("127.0.0.1", "127.0.1.1", "127.255.255.254", "169.254.0.1", "169.254.169.254"),
    *("169.254.170.2", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1"),
    *("192.88.99.1", "192.168.0.1", "192.168.255.255", "198.18.0.1", "198.19.255.255"),
    *("198.51.100.1", "203.0.113.1", "224.0.0.1", "239.255.255.250", "240.0.0.1"),
    "255.255.255.255",
)
INWARD_V6 = (
    *("::", "::1", "::2", "::127.0.0.1", "::10.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1"),
    *("::ffff:169.254.169.254", "::ffff:192.168.0.1", "::ffff:0:127.0.0.1", "::ffff:7f00:1"),
    *("64:ff9b::127.0.0.1", "64:ff9b::10.0.0.1", "64:ff9b::169.254.169.254"),
    *("64:ff9b:1::8.8.8.8", "64:ff9b:1::7f00:1", "100::1", "2001::1", "2001:0:7f00:1::"),
    *("2001:10::1", "2001:20::1", "2001:2::1", "2001:db8::1", "2002:7f00:1::", "2002:a00:1::1"),
    *("2002:c0a8:1::1", "2606:4700::5efe:10.0.0.1", "2a00::200:5efe:7f00:1", "3fff::1"),
    *("4000::1", "5f00::1", "8000::1", "fc00::1", "fd00::1", "fd00:ec2::254", "fdff::1"),
    *("fe80::1", "fe80::a9fe:a9fe", "febf::1", "fec0::1", "ff01::1", "ff02::1", "ff05::2"),
)
SPELLINGS = (
    *("127.1", "127.0.1", "0", "0x0", "00", "2130706433", "0x7f000001", "017700000001"),
    *("0x7f.0x0.0x0.0x1", "0177.0.0.1", "0177.0.0.01", "0x7f.1", "127.0x1", "0300.0250.0.1"),
    *("3232235521", "0xc0a80001", "0xa9fea9fe", "2852039166", "0251.0376.0251.0376"),
    *("169.254.43518", "10.1", "0xa.1", "012.1", "167772161", "127.0.0.1.", "10.0.0.1."),
    *("①②⑦.⓪.⓪.①", "１２７.０.０.１", "127。0。0。1", "127．0．0．1", "127｡0｡0｡1"),
    *("１０.０.０.１", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "ｌｏｃａｌｈｏｓｔ", "LOCALHOST", "LocalHost."),
)
NAMES = (
    *("localhost", "localhost.", "localhost.localdomain", "ip6-localhost", "a.localhost"),
    *("metadata.google.internal", "metadata", "instance-data", "kubernetes.default.svc"),
    *("host.docker.internal", "127.0.0.1.nip.io", "10.0.0.1.sslip.io", "localtest.me"),
    *("intranet", "router.local", "db.internal", "redis", "spoofed.burpcollaborator.net"),
)
TRICKS = (
    *("https://good.example@127.0.0.1/", "https://good.example:x@10.0.0.1/"),
    *("https://127.0.0.1#@good.example/", "https://127.0.0.1?@good.example/"),
    *("https://127.0.0.1\\@good.example/", "https://good.example\\@127.0.0.1/"),
    *("https://127.0.0.1%2f@good.example/", "https://127.0.0.1%00.good.example/"),
    *("https://127.0.0.1\t.good.example/", "https://127.0.0.1 .good.example/"),
    *("https:///127.0.0.1/", "https:127.0.0.1/", "https:/127.0.0.1/", "https://[::1/"),
    *("https://[::1]:443@good.example:22/", "https://[::ffff:127.0.0.1%25lo]/"),
    *("https://[fe80::1%25eth0]/", "https://[2606:4700::1%25lo]/", "https://[v1.127.0.0.1]/"),
    *("https://127.0.0.1:443:80/", "https://127.0.0.1:00443/", "https://127.0.0.1:/"),
    *("//127.0.0.1/", "", "/", "127.0.0.1", "https://", "https://@/", "https://./"),
    *("https://good.example\r\nhost: 127.0.0.1/", "https://xn--/", "https://xn--a/"),
)
SCHEMES = (
    *("http://good.example/", "http://127.0.0.1/", "HTTP://good.example/", "ftp://good.example/"),
    *("file:///etc/passwd", "file://localhost/etc/passwd", "gopher://127.0.0.1:6379/_x"),
    *("dict://127.0.0.1:11211/", "ldap://127.0.0.1/", "ws://good.example/", "data:text/html,x"),
    *("javascript:alert(1)", "jar:https://good.example!/", "unix:///var/run/docker.sock"),
    *("tftp://good.example/", "sftp://good.example/", "netdoc:///etc/passwd", "about:blank"),
)
PORTS = tuple(
    f"https://good.example:{port}/"
    for port in (
        *(0, 1, 22, 23, 25, 53, 80, 110, 111, 135, 139, 143, 389, 445, 465, 587, 636, 873, 993),
        *(1433, 1521, 2049, 2375, 2376, 2379, 3000, 3306, 3389, 5432, 5601, 5672, 5984, 6379),
        *(6443, 7001, 8000, 8080, 8086, 8200, 8500, 9000, 9090, 9200, 9300, 10250, 11211, 15672),
        *(27017, 50070, 65535),
    )
)

HOSTILE = (
    *(f"https://{host}/" for host in (*INWARD_V4, *SPELLINGS, *NAMES)),
    *(f"https://[{host}]/" for host in INWARD_V6),
    *(f"https://{host}:8443/hook" for host in INWARD_V4[:10]),
    *TRICKS,
    *SCHEMES,
    *PORTS,
)
"""None of these may connect to anything that is not public."""

REBINDING = tuple(f"https://rebind-{number}.example/" for number in range(20))
"""Their name server says a public address and an inward one by turns."""

LEGITIMATE = (
    *(f"https://hook-{number}.example/in" for number in range(30)),
    *(f"https://hook-{number}.example:8443/in?x=1" for number in range(10)),
    *("https://HOOK-1.EXAMPLE/in", "https://hook-2.example:443/in", "https://hook-3.example"),
    *("https://bücher.example/in", "https://xn--bcher-kva.example/in", "https://例え.example/"),
    *("https://hook-4.example/a%20b", "https://hook-5.example/?q=127.0.0.1"),
    *("https://hook-6.example/#10.0.0.1", "https://a.b.c.d.hook.example/", "https://1a.example/"),
    *("https://127.0.0.1.hook.example/", "https://localhost.hook.example/in"),
)
"""All of these are delivered."""
