"""nginx and Caddy before a gateway, with the settings of docs/ops/deploy.md.

Only what belongs to a machine is changed: ports, and where certificates come from. Their names are
`chat.example.com` and `console.example.com`, and lead to loopback.
"""

from __future__ import annotations

import datetime as dt
import os
import socket
import ssl
from pathlib import Path

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.deployment.page import adapted, block
from tests.servers import Server

CHAT, CONSOLE = "chat.example.com", "console.example.com"
DAY = dt.timedelta(days=1)


class Proxy(Server):
    """A proxy that speaks TLS on `port`, before the gateway's two ports."""

    def __init__(self, program: Path, visitors: int, operators: int) -> None:
        super().__init__()
        self.program = program
        self.upstreams = {
            "127.0.0.1:8000": f"127.0.0.1:{visitors}",
            "127.0.0.1:8002": f"127.0.0.1:{operators}",
        }
        self.configure()

    @property
    def authority(self) -> Path:
        """The certificate that a client believes."""
        raise NotImplementedError

    def configure(self) -> None:
        """Write what it reads at its start."""
        raise NotImplementedError

    def answers(self) -> bool:
        """Whether it speaks TLS for both names."""
        if not (super().answers() and self.authority.exists()):
            return False
        trust = ssl.create_default_context(cafile=str(self.authority))
        try:
            for name in (CHAT, CONSOLE):
                with (
                    socket.create_connection(("127.0.0.1", self.port), timeout=5) as plain,
                    trust.wrap_socket(plain, server_hostname=name),
                ):
                    pass
        except OSError:
            return False
        return True


class Nginx(Proxy):
    """nginx with a certificate that the test signs."""

    @property
    def authority(self) -> Path:
        """The certificate that a client believes."""
        return self.folder / "fullchain.pem"

    def configure(self) -> None:
        """Write nginx.conf around the page's block."""
        certify(self.folder)
        site = adapted(
            block("nginx:\n"),
            **self.upstreams,
            **{
                "listen 443": f"listen 127.0.0.1:{self.port}",
                "/etc/letsencrypt/live/chat.example.com": str(self.folder),
            },
        )
        user = "user root;" if os.geteuid() == 0 else ""
        temporary = "\n".join(
            f"{what}_temp_path {self.folder}/{what};"
            for what in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        self.written.write_text(
            f"{user} daemon off; pid {self.folder}/pid; error_log stderr;\n"
            f"events {{}}\nhttp {{ access_log off; {temporary}\n{site}\n}}\n",
            encoding="utf-8",
        )

    @property
    def written(self) -> Path:
        """Its configuration."""
        return self.folder / "nginx.conf"

    def command(self) -> list[str]:
        """What starts it, in the foreground."""
        return [str(self.program), "-p", str(self.folder), "-c", str(self.written), "-e", "stderr"]


class Caddy(Proxy):
    """Caddy, which signs its own certificates."""

    @property
    def authority(self) -> Path:
        """The certificate that a client believes."""
        return self.folder / "kept" / "pki" / "authorities" / "local" / "root.crt"

    def configure(self) -> None:
        """Write a Caddyfile: what belongs to the machine, then the page's block."""
        machine = (
            f"https_port {self.port}\nstorage file_system {self.folder}/kept\n"
            "admin off\nlocal_certs\nskip_install_trust\nauto_https disable_redirects\n"
            "default_bind 127.0.0.1\n"
        )
        sites = adapted(block("Caddy streams"), **self.upstreams)
        (self.folder / "Caddyfile").write_text(f"{{\n{machine}}}\n{sites}", encoding="utf-8")

    def command(self) -> list[str]:
        """What starts it, in the foreground."""
        caddyfile = str(self.folder / "Caddyfile")
        return [str(self.program), "run", "--adapter", "caddyfile", "--config", caddyfile]


class Through(httpx.AsyncBaseTransport):
    """Leads every name to the proxy, whose certificate is verified for that name.

    `source` is the address of loopback that the visitor comes from.
    """

    def __init__(self, proxy: Proxy, source: str = "127.0.0.1") -> None:
        self._port = proxy.port
        trust = ssl.create_default_context(cafile=str(proxy.authority))
        # A connection for each call: whichever process is free takes it.
        limits = httpx.Limits(max_keepalive_connections=0)
        self._inner = httpx.AsyncHTTPTransport(verify=trust, local_address=source, limits=limits)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request to the proxy; its `host` field stays."""
        request.extensions = {**request.extensions, "sni_hostname": request.url.host}
        request.url = request.url.copy_with(host="127.0.0.1", port=self._port)
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._inner.aclose()


def certify(folder: Path) -> None:
    """Write a key and a certificate for both names, as Let's Encrypt's client names the files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a test's proxy")])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - DAY)
        .not_valid_after(now + DAY)
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(CHAT), x509.DNSName(CONSOLE)]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "fullchain.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "privkey.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
