"""Lines of shell are cut as a shell cuts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commands.lexer import Redirection, lex


def words(text: str) -> list[list[str]]:
    return [each.words for each in lex(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ls -la  src", [["ls", "-la", "src"]]),
        ("a;b && c || d | e & f", [["a"], ["b"], ["c"], ["d"], ["e"], ["f"]]),
        ("echo 'a;b' \"c|d\"", [["echo", "a;b", "c|d"]]),
        (r"echo a\;b \"x", [["echo", "a;b", '"x']]),
        ("echo ''", [["echo", ""]]),
        ("a \\\n b", [["a", "b"]]),
        ("a # ; rm b\nc", [["a"], ["c"]]),
        ("echo a#b", [["echo", "a#b"]]),
        ("(cd a; ls)", [["cd", "a"], ["ls"]]),
        ("echo 'open", [["echo", "open"]]),
        ('echo "say \\"a;b\\" $HOME"', [["echo", 'say "a;b" $HOME']]),
        ("echo $'a b'", [["echo", "a b"]]),
        ("echo $((1 + (2)))", [["echo", "$((1 + (2)))"]]),
    ],
)
def test_words_and_operators(text: str, found: list[list[str]]) -> None:
    assert words(text) == found


@pytest.mark.parametrize(
    ("text", "nested"),
    [
        ("echo $(rm a)", ["rm a"]),
        ('echo "$(rm "a b")"', ['rm "a b"']),
        ('echo `rm a` "`ls`"', ["rm a", "ls"]),
        ("echo $(a $(b))", ["a $(b)"]),
        ("diff <(ls a) >(rm b)", ["ls a", "rm b"]),
        ("echo $(rm ')' a)", ["rm ')' a"]),
        ("echo $(rm \\) a)", ["rm \\) a"]),
        ("echo $(never closed", ["never closed"]),
        ("cat <(never closed", ["never closed"]),
        ("echo '$(rm a)'", []),
    ],
)
def test_what_is_substituted_is_a_command_of_its_own(text: str, nested: list[str]) -> None:
    [command] = lex(text)
    assert command.nested == nested


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a > b", [Redirection(">", "b")]),
        ("a 2>/dev/null >>b", [Redirection(">", "/dev/null"), Redirection(">>", "b")]),
        ("a&>b", [Redirection("&>", "b")]),
        ("a 2>&1", [Redirection(">&", "1")]),
        ("a <<< text", [Redirection("<<<", "text")]),
        ("cat <<EOF\none\ntwo\nEOF", [Redirection("<<", "one\ntwo")]),
        ("cat <<-EOF\n\tone\n\tEOF", [Redirection("<<", "\tone")]),
        ("cat <<'E'\nopen", [Redirection("<<", "open")]),
    ],
)
def test_redirections(text: str, found: list[Redirection]) -> None:
    [command] = lex(text)
    assert command.redirections == found


def test_what_follows_a_here_document_is_read_on() -> None:
    assert words("cat <<A > x\nrm a\nA\nls") == [["cat"], ["ls"]]


def test_a_pipe_is_known_and_an_or_is_none() -> None:
    assert [each.piped for each in lex("a | b || c |& d")] == [False, True, False, True]


@given(st.text(alphabet="ab '\"\\$`()<>|&;\n#{}-=EOF", max_size=60))
def test_any_text_is_read_to_its_end(text: str) -> None:
    for command in lex(text):
        assert not command.empty
