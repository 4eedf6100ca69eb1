"""Cuts a line of shell into simple commands, as POSIX 2.2 and 2.3 say, without running any of it.

Decides what belongs together: quotes, escapes, operators, redirections, here-documents, and what
stands in a substitution, which is a command of its own. It refuses nothing: a line that ends within
a quotation is read as if the quotation ended there. Variables are not known, and stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

_ENDS: Final = frozenset(";&|\n()")
_BLANK: Final = frozenset(" \t\r")
_AFTER_ESCAPE: Final = frozenset('"\\$`')


@dataclass(frozen=True, slots=True)
class Redirection:
    """`operator` such as `>>`, and the word behind it; for a here-document its body."""

    operator: str
    target: str


@dataclass
class Simple:
    """One simple command: its words without quotes, what is redirected, what feeds it.

    `piped` says that it reads what the command before it writes. `nested` are the texts of the
    substitutions within its words.
    """

    words: list[str] = field(default_factory=list)
    redirections: list[Redirection] = field(default_factory=list)
    nested: list[str] = field(default_factory=list)
    piped: bool = False

    @property
    def empty(self) -> bool:
        """Whether there is nothing in it."""
        return not (self.words or self.redirections or self.nested)


def lex(text: str) -> list[Simple]:
    """The simple commands of a text, in order."""
    return _Lexer(text).read()


class _Lexer:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._found: list[Simple] = []
        self._now = Simple()
        self._word: list[str] | None = None
        self._redirect: str | None = None
        self._documents: list[tuple[Simple, str, bool]] = []

    def read(self) -> list[Simple]:
        while self._at < len(self._text):
            self._step(self._text[self._at])
        self._end_command(piped=False)
        return self._found

    def _step(self, char: str) -> None:
        if char in _BLANK:
            self._end_word()
            self._at += 1
        elif char == "#" and self._word is None:
            self._skip_to_line_end()
        elif char in "<>" or (char == "&" and self._text[self._at + 1 : self._at + 2] == ">"):
            self._redirection()
        elif char in _ENDS:
            self._operator(char)
        else:
            self._in_word(char)

    def _in_word(self, char: str) -> None:
        if char == "\\":
            self._escape()
        elif char == "'":
            self._single()
        elif char == '"':
            self._double()
        elif char == "`":
            self._add(self._backquoted())
        elif char == "$":
            self._add(self._dollar())
        else:
            self._add(char)
            self._at += 1

    def _add(self, text: str) -> None:
        if self._word is None:
            self._word = []
        self._word.append(text)

    def _escape(self) -> None:
        following = self._text[self._at + 1 : self._at + 2]
        self._at += 2
        if following != "\n":
            self._add(following)

    def _single(self) -> None:
        end = self._text.find("'", self._at + 1)
        end = len(self._text) if end < 0 else end
        self._add(self._text[self._at + 1 : end])
        self._at = end + 1

    def _double(self) -> None:
        self._add("")
        self._at += 1
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return
            if char == "\\" and self._text[self._at + 1 : self._at + 2] in _AFTER_ESCAPE:
                self._escape()
            elif char == "`":
                self._add(self._backquoted())
            elif char == "$":
                self._add(self._dollar())
            else:
                self._add(char)
                self._at += 1

    def _backquoted(self) -> str:
        end = self._text.find("`", self._at + 1)
        end = len(self._text) if end < 0 else end
        self._now.nested.append(self._text[self._at + 1 : end])
        self._at = end + 1
        return "$()"

    def _dollar(self) -> str:
        """What begins with `$`: a substitution, a sum, or a variable, which stays as it is."""
        if self._text.startswith("$'", self._at):
            self._at += 1
            return ""
        if self._text.startswith("$((", self._at):
            return "$" + self._bracketed(self._at + 1)
        if self._text.startswith("$(", self._at):
            inner = self._bracketed(self._at + 1)
            self._now.nested.append(inner[1:-1] if inner.endswith(")") else inner[1:])
            return "$()"
        self._at += 1
        return "$"

    def _bracketed(self, start: int) -> str:
        """The text from an opening bracket to its own end, quotations respected."""
        depth, at, quote = 0, start, ""
        while at < len(self._text):
            char = self._text[at]
            if char == "\\" and quote != "'":
                at += 2
                continue
            if quote:
                quote = "" if char == quote else quote
            elif char in "'\"":
                quote = char
            elif char in "()":
                depth += 1 if char == "(" else -1
                if not depth:
                    at += 1
                    break
            at += 1
        self._at = min(at, len(self._text))
        return self._text[start : self._at]

    def _redirection(self) -> None:
        text = self._text
        if text[self._at] in "<>" and text.startswith("(", self._at + 1):
            inner = self._bracketed(self._at + 1)  # a substitution of a process
            self._now.nested.append(inner[1:-1] if inner.endswith(")") else inner[1:])
            self._add("$()")
            return
        number = "".join(self._word or ())
        if number.isdigit():
            self._word = None
        else:
            self._end_word()
        for operator in ("&>>", "<<<", "<<-", "&>", ">>", ">|", ">&", "<<", "<&", "<>", ">", "<"):
            if text.startswith(operator, self._at):
                self._at += len(operator)
                self._redirect = operator
                return

    def _operator(self, char: str) -> None:
        text = self._text
        if char == "\n":
            self._end_command(piped=False)
            self._at += 1
            self._read_documents()
            return
        both = text[self._at : self._at + 2]
        pipe = char == "|" and both != "||"
        self._at += 2 if both in {"&&", "||", ";;", "|&"} else 1
        self._end_command(piped=pipe)

    def _end_word(self) -> None:
        if self._word is None:
            return
        word, self._word = "".join(self._word), None
        operator, self._redirect = self._redirect, None
        if operator is None:
            self._now.words.append(word)
        elif operator in {"<<", "<<-"}:
            self._documents.append((self._now, word, operator == "<<-"))
        else:
            self._now.redirections.append(Redirection(operator, word))

    def _end_command(self, *, piped: bool) -> None:
        self._end_word()
        # What a here-document fills later has to be there already.
        if not self._now.empty or any(each is self._now for each, _, _ in self._documents):
            self._found.append(self._now)
        self._now = Simple(piped=piped)
        self._redirect = None

    def _read_documents(self) -> None:
        for command, delimiter, tabs in self._documents:
            lines: list[str] = []
            while self._at < len(self._text):
                end = self._text.find("\n", self._at)
                end = len(self._text) if end < 0 else end
                line = self._text[self._at : end]
                self._at = end + 1
                if (line.lstrip("\t") if tabs else line) == delimiter:
                    break
                lines.append(line)
            command.redirections.append(Redirection("<<", "\n".join(lines)))
        self._documents = []

    def _skip_to_line_end(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end
