"""Entries of a catalogue that somebody vouches for, and what becomes of those that nobody does."""

import base64
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from models.cli.commands import models_group
from models.errors import BadCatalog, BadSignature, ModelError
from models.registry.catalog import read_catalog
from models.registry.signing import read_trust, signatures_path
from models.services import open_registry
from tests.models.samples import WORDS, entry, file_entry, known

SHA256 = "6a" * 32
# As RFC 8785 has it: keys in order, no space, and no letter escaped that need not be.
CANONICAL = (
    '{"architecture":"llama","context":64,"files":[{"name":"model.gguf","sha256":"'
    + SHA256
    + '","size":12,"sources":["file:origin"]}],"id":"small","kind":"chat",'
    '"licence":"Apache-2.0","loads":"model.gguf","memory":1000,"name":"Smäll \\"1\\"",'
    '"parameters":1,"version":"1"}'
)


class World:
    """A catalogue of one entry, and the keys that count on this machine."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.catalog = folder / "catalog.toml"
        self.key = folder / "key.pem"
        self.trust = folder / "kept" / "trust.toml"
        self.environ = {"FANLIGHT_MODELS_DIR": str(self.trust.parent)}
        self.trust.parent.mkdir()
        (folder / "origin").write_bytes(WORDS)
        self.write()

    def write(self, **more: str) -> None:
        text = entry(files=file_entry(**known()), **more)
        self.catalog.write_text(text, encoding="utf-8")

    def run(self, *arguments: object) -> Result:
        return CliRunner().invoke(models_group, list(map(str, arguments)), env=self.environ)

    def sign(self, *arguments: str, name: str = "owner") -> str:
        result = self.run(
            "sign-catalog", self.catalog, "--key", self.key, "--name", name, "--json", *arguments
        )
        assert result.exit_code == 0, result.output
        public: str = json.loads(result.stdout)["public_key"]
        return public

    def pull(self) -> Result:
        return self.run("pull", "small", "--catalog", self.catalog)

    def trusts(self, public: str, *lines: str) -> None:
        text = "\n".join((*lines, "[keys]", f'owner = "{public}"', ""))
        self.trust.write_text(text, encoding="utf-8")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_signed_entry_is_pulled_and_loaded_where_its_key_is_trusted(world: World) -> None:
    world.trusts(world.sign("--new-key"))
    assert world.pull().exit_code == 0
    with open_registry(world.environ, world.catalog) as registry:
        model = registry.find("small")
        with registry.loadable(model) as loadable:
            assert loadable.path.read_bytes() == WORDS
    # What was pulled under a good signature is not loaded under a bad one.
    world.write(memory="2000")
    with (
        open_registry(world.environ, world.catalog) as registry,
        pytest.raises(BadSignature, match="not that of this entry"),
        registry.loadable(registry.find("small")),
    ):
        pass
    assert "not that of this entry" in world.run("verify", "--catalog", world.catalog).stderr


def test_what_is_signed_is_the_canonical_form_of_the_entry(world: World) -> None:
    promise = {"size": "12", "sha256": f'"{SHA256}"'}
    text = entry(files=file_entry(**promise)).replace('"Small"', "'Smäll \"1\"'")
    world.catalog.write_text(text, encoding="utf-8")
    public = world.sign("--new-key")
    row = json.loads(signatures_path(world.catalog).read_text(encoding="utf-8"))["small 1"]
    Ed25519PublicKey.from_public_bytes(base64.b64decode(public)).verify(
        base64.b64decode(row["signature"]), CANONICAL.encode()
    )


def test_an_entry_that_was_changed_is_refused(world: World) -> None:
    world.trusts(world.sign("--new-key"))
    world.write(licence='"MIT"')
    refused = world.pull()
    assert refused.exit_code == 1
    assert "The signature of small 1 by 'owner' is not that of this entry" in refused.stderr
    assert not (world.folder / "kept" / "small").exists()


def test_a_signature_by_another_key_is_refused(world: World) -> None:
    world.sign("--new-key")
    assert "is signed by 'owner', whose key is not in" in world.pull().stderr
    world.trusts(base64.b64encode(bytes(32)).decode())
    assert "is not that of this entry" in world.pull().stderr


def test_an_unsigned_entry_is_as_before_unless_all_must_be_signed(world: World) -> None:
    assert world.pull().exit_code == 0
    world.trusts(base64.b64encode(bytes(32)).decode(), "required = true")
    assert "small 1 is not signed, and" in world.pull().stderr
    world.key.unlink(missing_ok=True)
    world.trusts(world.sign("--new-key"), "required = true")
    assert world.pull().exit_code == 0


def test_the_file_of_keys_is_where_the_environment_says(world: World, tmp_path: Path) -> None:
    world.trusts(world.sign("--new-key"))
    elsewhere = world.trust.rename(tmp_path / "elsewhere.toml")
    assert "key is not in" in world.pull().stderr
    world.environ["FANLIGHT_MODELS_TRUST"] = str(elsewhere)
    assert world.pull().exit_code == 0
    elsewhere.unlink()
    assert "FANLIGHT_MODELS_TRUST names" in world.pull().stderr


@pytest.mark.parametrize(
    "text",
    ["keys = 1", "[keys]\nowner = 'AAAA'", "[keys]\nowner = 'no base64'", "requierd = true", "="],
)
def test_a_damaged_file_of_keys_is_said(world: World, text: str) -> None:
    world.trust.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"trust\.toml cannot be read.*It holds required = true"):
        read_trust(world.trust)
    assert "trust.toml cannot be read" in world.pull().stderr


@pytest.mark.parametrize("text", ["{", "[]", '{"small 1": {"key": "owner"}}', '{"small 1": 1}'])
def test_damaged_signatures_are_a_flaw_of_the_catalogue(world: World, text: str) -> None:
    signatures_path(world.catalog).write_text(text, encoding="utf-8")
    with pytest.raises(BadCatalog, match=r"catalog\.toml\.sig cannot be read; sign the catalogue"):
        read_catalog(world.catalog)


def test_a_key_is_made_once_for_its_owner_alone(world: World) -> None:
    public = world.sign("--new-key")
    assert world.key.stat().st_mode & 0o777 == 0o600
    assert world.sign() == public
    again = world.run(
        "sign-catalog", world.catalog, "--key", world.key, "--name", "owner", "--new-key"
    )
    assert "is there already" in again.stderr


def test_what_cannot_sign_is_said(world: World) -> None:
    options = ("sign-catalog", world.catalog, "--key", world.key, "--name")
    assert "No such file" in world.run(*options, "owner").stderr
    assert "does not match" in world.run(*options, "Owner!").stderr
    world.key.write_text("no key", encoding="utf-8")
    assert "no private key without a password" in world.run(*options, "owner").stderr
    other = X25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    world.key.write_bytes(other)
    assert "not of Ed25519" in world.run(*options, "owner").stderr
    assert not signatures_path(world.catalog).exists()
