"""The sources of settings: .env files and secret files, well-formed and not."""

import warnings

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sta410kit._internal.settings.dotenv_file import read_dotenv, warn_of_misspelt
from sta410kit._internal.settings.found import Found
from sta410kit._internal.settings.gather import gather
from sta410kit._internal.settings.secret_file import read_secret_files
from sta410kit.config import all_settings
from sta410kit.exceptions import ConfigurationError, ConfigurationWarning

pytestmark = pytest.mark.unit


def texts(layer):
    return {name: found.text for name, found in layer.items()}


def test_the_environment_without_its_empty_variables(tmp_path):
    """A variable set to nothing counts as not set."""
    layer = gather({"A": "1", "B": "", "C": " "}, None, tmp_path, [])
    assert layer == {"A": Found("1", "environment")}


def test_what_was_found_does_not_show_itself():
    """The text of a variable may be a secret, so a repr leaves it out."""
    assert repr(Found("hush", ".env")) == "Found(origin='.env')"


def test_a_dotenv_file_in_all_its_forms(tmp_path):
    """export, quotes, comments, empty values, BOM, CRLF and references work."""
    path = tmp_path / ".env"
    path.write_bytes(
        b"\xef\xbb\xbf# a comment\r\nexport A=1\r\nB='two words' # note\r\nC=\"x\\ny\"\r\nD=\r\n"
        b"E=${A}/${HOME}/${NONE:-none}\r\n\r\nF=a#b\r\nA2=${A}\r\n"
    )
    assert texts(read_dotenv(path, {"HOME": "/h", "A": "real"})) == {
        "A": "1",
        "B": "two words",
        "C": "x\ny",
        "E": "real//h/none",
        "F": "a#b",
        "A2": "real",
    }
    assert read_dotenv(path, {})["A"].origin == ".env"


def test_no_dotenv_file_is_an_empty_one(tmp_path):
    """Nothing has to be there."""
    assert read_dotenv(tmp_path / ".env", {}) == {}


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("A=1\n\n  B='hush\n", 3),
        ("A=1\nhush\n", 2),
        ("hush hush\n", 1),
        ("A=1\n# fine\n=hush\n", 3),
        ('A="hush" hush\n', 1),
    ],
)
def test_a_line_that_cannot_be_understood_is_named_and_not_quoted(tmp_path, text, line):
    """The refusal has the file and the line; the line itself may be half a password."""
    path = tmp_path / ".env"
    path.write_text(text)
    with pytest.raises(ConfigurationError) as refused:
        read_dotenv(path, {})
    assert f"{path}, line {line}: not of the form NAME=value" in str(refused.value)
    assert "hush" not in str(refused.value).replace(str(path), "")


def test_a_file_in_another_encoding_is_refused_with_its_line(tmp_path):
    """Latin-1 is no UTF-8, and the error carries no content along."""
    path = tmp_path / ".env"
    path.write_bytes(b"A=1\nB=caf\xe9\n")
    with pytest.raises(ConfigurationError, match=r"\.env, line 2: not UTF-8") as refused:
        read_dotenv(path, {})
    assert refused.value.__suppress_context__


def test_what_is_no_file_is_refused(tmp_path):
    """A folder, a pipe or a broken link called .env is said to be one."""
    (tmp_path / ".env").mkdir()
    with pytest.raises(ConfigurationError, match="is not a file"):
        read_dotenv(tmp_path / ".env", {})
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigurationError, match="is a link to a file that does not exist"):
        read_dotenv(tmp_path / "link", {})
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_dotenv(tmp_path / ("x" * 300), {})


@pytest.mark.parametrize(
    ("name", "meant"),
    [("GD_LRR", "GD_LR"), ("LOGLEVEL", "LOG_LEVEL"), ("gd_lr", "GD_LR"), ("ALPACA_KEY", "ALPACA_API_KEY")],
)
def test_a_misspelt_variable_is_warned_of(name, meant):
    """A slip of the finger does not pass in silence."""
    known = ["GD_LR", "LOG_LEVEL", "ALPACA_API_KEY"]
    with pytest.warns(ConfigurationWarning, match=rf"\.env sets {name}, .*did you mean {meant}\?"):
        warn_of_misspelt({name: Found("0.1", ".env")}, known)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("GD_LR=1\n\nGD_LR=2\n", "line 3: GD_LR is set once more; the last line counts"),
        ("\n# note\nGD_LR=${NONE}\n", "line 3: GD_LR refers with ${...} to a variable that is not set"),
        ("GD_LR=0.${A}${NONE}\n", "line 1: GD_LR refers with"),
    ],
)
def test_a_setting_that_may_not_become_what_was_meant_is_warned_of(tmp_path, text, told):
    """The default would come back without a word, or an earlier line be lost; values are not quoted."""
    (tmp_path / ".env").write_text(text)
    with pytest.warns(ConfigurationWarning) as warned:
        read_dotenv(tmp_path / ".env", {"A": "hush"}, ["GD_LR"])
    (message,) = (str(one.message) for one in warned)
    assert message.startswith(f".env, {told}")
    assert "hush" not in message
    assert "NONE" not in message


def test_what_was_meant_is_not_warned_of(tmp_path):
    """The same value twice, a reference with a default, and other tools' variables."""
    (tmp_path / ".env").write_text("GD_LR=1\nGD_LR=1\nRANDOM_SEED=${NONE:-7}\nX=1\nX=${NONE}\n")
    layer = gather({}, tmp_path, tmp_path, all_settings())
    assert texts(layer) == {"GD_LR": "1", "RANDOM_SEED": "7"}


def test_other_tools_variables_are_left_alone():
    """A variable that resembles nothing is somebody else's."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_misspelt({"REDIS_URL": Found("x", ".env"), "GD_LR": Found("1", ".env")}, ["GD_LR"])


def test_secret_files_by_pointer_and_by_folder(tmp_path):
    """<NAME>_FILE is followed, else the folder of secrets is looked in."""
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "mine").write_text(" pointed \n")
    (tmp_path / "a").write_text("not this\n")
    (tmp_path / "b").write_text("mounted\n")
    layer = read_secret_files(
        ["A", "B", "C"], {"A_FILE": Found("mine", ".env")}, tmp_path / "project", tmp_path
    )
    assert texts(layer) == {"A": "pointed", "B": "mounted"}
    assert layer["B"].origin == f"file {tmp_path / 'b'}"


def test_a_folder_of_secrets_that_cannot_be_looked_into_holds_none(tmp_path):
    """Another user's secrets are no reason to refuse this one's settings."""
    assert read_secret_files(["A"], {}, tmp_path, tmp_path / ("x" * 300)) == {}


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (None, "cannot be read"),
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"x" * 70_000, "is larger than 65536 bytes"),
        (b"\xff\xfe", "not UTF-8 text"),
    ],
)
def test_a_secret_file_that_holds_no_secret_is_refused(tmp_path, content, complaint):
    """The refusal names the variable, where it was set, and the file."""
    path = tmp_path / "f"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigurationError, match=complaint) as refused:
        read_secret_files(["KEY"], {"KEY_FILE": Found(str(path), "environment")}, tmp_path, tmp_path)
    assert f"KEY_FILE (from environment): {path}" in str(refused.value)


@given(st.binary(max_size=80))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    """Whatever stands in .env, the outcome is a layer or a ConfigurationError."""
    path = tmp_path_factory.mktemp("any") / ".env"
    path.write_bytes(content)
    try:
        layer = read_dotenv(path, {})
    except ConfigurationError as error:
        assert str(path) in str(error)  # noqa: PT017 - either outcome is right
    else:
        assert all(found.text.strip() for found in layer.values())
