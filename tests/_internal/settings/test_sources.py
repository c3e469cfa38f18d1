"""The sources of settings: .env files and secret files, well-formed and not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit._internal.settings.sources import Found, gather, read_dotenv
from sta410kit.config import all_settings
from sta410kit.exceptions import ConfigurationError, ConfigurationWarning

pytestmark = pytest.mark.unit

NAME = "ALPACA_API_KEY"


def texts(found):
    return {name: one.text for name, one in found.items()}


def test_empty_variables_count_as_not_set(tmp_path):
    """Whether in the process or in a file; a repr never shows a text."""
    (tmp_path / ".env").write_text("D=\nE=' '\nF=1\n")
    found = gather({"A": "1", "B": "", "C": " "}, tmp_path, tmp_path, [])
    assert found == {"A": Found("1", "environment"), "F": Found("1", ".env")}
    assert repr(Found("hush", ".env")) == "Found(origin='.env')"


def test_a_dotenv_file_in_all_its_forms(tmp_path):
    """export, quotes, comments, empty values, BOM, CRLF and references work."""
    path = tmp_path / ".env"
    path.write_bytes(
        b"\xef\xbb\xbf# a comment\r\nexport A=1\r\nB='two words' # note\r\nC=\"x\\ny\"\r\nD=\r\n"
        b"E=${A}/${NONE:-none}\r\n\r\nF=a#b\r\n"
    )
    assert texts(read_dotenv(path)) == {"A": "1", "B": "two words", "C": "x\ny", "E": "1/none", "F": "a#b"}
    assert read_dotenv(tmp_path / "absent") == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [("A=1\n\n  B='hush\n", 3), ("A=1\nhush\n", 2), ("A=1\n# fine\n=hush\n", 3), ('A="hush" hush\n', 1)],
)
def test_a_line_that_cannot_be_parsed_is_named_and_not_quoted(tmp_path, text, line):
    """The refusal has the file and the line; the line itself may be half a password."""
    path = tmp_path / ".env"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        read_dotenv(path)
    assert f"{path}, line {line}: not of the form NAME=value" in str(refused.value)
    assert "hush" not in str(refused.value).replace(str(path), "")


def test_a_file_that_cannot_be_read_is_refused(tmp_path):
    """Another encoding, a folder, a broken link; the error carries no content along."""
    (tmp_path / "latin").write_bytes(b"A=1\nB=caf\xe9\n")
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name, reason in (("latin", "not UTF-8"), ("folder", "directory"), ("link", "No such file")):
        with pytest.raises(ConfigurationError, match=f"{name} cannot be read .*{reason}") as refused:
            read_dotenv(tmp_path / name)
        assert refused.value.__suppress_context__


@pytest.mark.parametrize(
    ("name", "meant"),
    [("GD_LRR", "GD_LR"), ("LOGLEVEL", "LOG_LEVEL"), ("gd_lr", "GD_LR"), ("ALPACA_KEY", "ALPACA_API_KEY")],
)
def test_a_misspelt_variable_is_warned_of(tmp_path, name, meant):
    """A typing error in .env does not pass in silence."""
    (tmp_path / ".env").write_text(f"{name}=0.1\n")
    with pytest.warns(ConfigurationWarning, match=rf"\.env sets {name}, .*did you mean {meant}\?"):
        gather({}, tmp_path, tmp_path, all_settings())


def test_variables_of_other_tools_are_left_alone(tmp_path):
    """What resembles no setting is not warned of, in .env or in the process."""
    (tmp_path / ".env").write_text("REDIS_URL=x\nALPACA_API_KEY_FILE=key\nGD_LR=1\n")
    (tmp_path / "key").write_text("x" * 20)
    found = gather({"GD_LRR": "1"}, tmp_path, tmp_path, all_settings())
    assert texts(found)["GD_LR"] == "1"


def test_secret_files_by_variable_and_by_folder(tmp_path):
    """<NAME>_FILE is followed, relative to the project; else the folder of secrets is looked in."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "mine").write_text(" pointed \n")
    (tmp_path / "alpaca_api_key").write_text("not this\n")
    (tmp_path / "alpaca_secret_key").write_text("mounted\n")
    found = gather({f"{NAME}_FILE": "mine"}, tmp_path / "project", tmp_path, all_settings())
    assert (found[NAME].text, found["ALPACA_SECRET_KEY"].text) == ("pointed", "mounted")
    assert found["ALPACA_SECRET_KEY"].origin == f"file {tmp_path / 'alpaca_secret_key'}"


def test_a_mounted_secret_of_another_user_is_none(tmp_path, monkeypatch):
    """It is no reason to refuse this user's settings."""
    (tmp_path / "alpaca_api_key").write_text("x")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(tmp_path), "open", refuse)
    assert gather({}, None, tmp_path, all_settings()) == {}
    with pytest.raises(ConfigurationError, match="Permission denied"):
        gather({f"{NAME}_FILE": "x"}, None, tmp_path, all_settings())


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read"),
        (b" \n", "is empty"),
        (b"x" * 70_000, "is too large"),
        (b"\xff\xfe", "not UTF-8 text"),
    ],
)
def test_a_secret_file_that_holds_no_secret_is_refused(tmp_path, content, complaint):
    """The refusal names the variable and the file."""
    path = tmp_path / "f"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=f"{NAME}_FILE: {path} .*{complaint}"):
        gather({f"{NAME}_FILE": str(path)}, tmp_path, tmp_path, all_settings())


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    """Whatever is in .env, the result is variables or a ConfigurationError."""
    path = tmp_path_factory.mktemp("any") / ".env"
    path.write_bytes(content)
    try:
        found = read_dotenv(path)
    except ConfigurationError as error:
        assert str(path) in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert all(one.text.strip() for one in found.values())
