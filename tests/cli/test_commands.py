"""The command line as a user types it: its words, its exit codes and both of its streams."""

import json
import os
import shutil
import signal
import subprocess
import sys
import webbrowser
from pathlib import Path

import pandas as pd
import pytest

from sta410kit import __version__, config
from sta410kit._internal.project import find_project
from sta410kit.market import load_prices

pytestmark = pytest.mark.integration

PROJECT = find_project(Path(__file__))


def in_a_process(*words, cwd, env=None):
    """Run the command in a process of its own, where that is the point, and return what came of it."""
    return subprocess.run(
        [sys.executable, "-m", "sta410kit", *map(str, words)],
        cwd=cwd,
        env={**os.environ, "COLUMNS": "200", **(env or {})},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture
def sta410(typed, monkeypatch):
    """Return a function that runs a command in this process, with variables of its own."""

    def run(*words, cwd, env=None):
        with monkeypatch.context() as patch:
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            patch.setattr(config, "_current", None)
            return typed(*words, cwd=cwd)

    return run


@pytest.fixture
def project(tmp_path):
    """Copy this project's notebooks and suites."""
    for name in ("notebooks", "expectations"):
        shutil.copytree(PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    return tmp_path


@pytest.fixture
def prices():
    """Give the last 300 sessions of two symbols."""
    return load_prices(symbols=["IBM", "MSFT"], start="2011-12-20")


def as_vendors_write_them(prices):
    """Return prices with the column names of a download."""
    names = {name: name.title().replace("_", " ") for name in prices.columns}
    return prices.rename(columns={**names, "adj_close": "Adj Close"})


def test_version_and_help_are_quick_answers(tmp_path):
    """The installed command and the module are the same thing."""
    assert in_a_process("--version", cwd=tmp_path).stdout == f"sta410, version {__version__}\n"
    installed = Path(sys.executable).with_name("sta410")
    assert subprocess.check_output([installed, "--version"], text=True) == f"sta410, version {__version__}\n"
    helped = in_a_process("--help", cwd=tmp_path)
    assert helped.returncode == 0
    assert all(word in helped.stdout for word in ("run", "validate", "docs", "doctor", "config"))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the device that is always full is Linux's")
def test_a_list_that_could_not_be_printed_is_no_success(tmp_path):
    """A full disk behind standard output ends with 1, in a sentence, and is no defect of the kit."""
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sta410kit", "completion", "bash"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == (
        "sta410: standard output could not be written (No space left on device); what was printed is "
        "incomplete\n"
    )


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["nonsense"], "No such command"),
        (["run"], "lies in no project"),
        (["run", "none.ipynb"], "no notebook"),
        (["run", "-p", "x"], "-p takes NAME=VALUE"),
        (["run", "-p", "a=1", "-p", "a=2"], "given twice"),
        (["run", "--no-such-option"], "No such option"),
        (["run", "--deadline", "soon"], "--deadline takes something like 90"),
        (["run", "--params", "none.toml"], "none.toml cannot be read as TOML"),
        (["run", "--resume", "-p", "a=1"], "--resume continues a run as it was"),
        (["validate", "none.csv"], "none.csv"),
        (["validate", "none.csv", "--symbols", ""], "selects nothing"),
        (["validate", "x.csv", "--suite", "pricess"], "Did you mean 'prices'"),
        (["docs"], "no data docs"),
        (["show", "latest"], "change into one, or run a notebook: sta410 run NOTEBOOK"),
        (["diff", "a", "b"], "no runs in"),
        (["verify", "x"], "no runs in"),
        (["regress"], "name notebooks: sta410 regress NOTEBOOK"),
        (["regress", "none.ipynb"], "no notebook"),
        (["runs", "-n", "0"], "not in the range"),
        (["leaks"], "Missing argument"),
        (["mutate", "--suite", "none"], "none"),
        (["scan", "none"], "none"),
        (["trials"], "so it has no trials ledger"),
        (["unseal"], "sta410 unseal takes --why"),
        (["unseal", "--list"], "so it has no record of unsealings; change into one"),
        (["regress", "--timeout", ""], "--timeout takes something like 90"),
        (["runs", "prune", "--keep", "1"], "change into the project whose runs to remove"),
    ],
)
def test_wrong_use_ends_with_2_and_says_what_to_do(tmp_path, monkeypatch, typed, words, text):
    """Nothing runs and nothing is left behind; with --json the error is all there is on standard output."""
    (tmp_path / "x.csv").write_text("a,b\n1,2\n")
    monkeypatch.delenv("STA410_LEDGER")
    done = typed(*words, cwd=tmp_path)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    answer = json.loads(typed(*words, "--json", cwd=tmp_path).stdout)
    assert (answer["outcome"], answer["exit_code"]) == ("USAGE", 2)
    assert answer["error"]["message"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.csv"]


@pytest.mark.parametrize("words", [["run", "{}.ipynb"], ["validate", "{}"], ["show", "{}"], ["scan", "{}"]])
def test_a_path_that_cannot_be_looked_up_is_wrong_use(tmp_path, typed, words):
    """As when its name is too long; the kit has no defect."""
    (tmp_path / "runs" / "20260101-000000-000aa").mkdir(parents=True)
    done = typed(*(word.format("a" * 5000) for word in words), cwd=tmp_path)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("setting", "text"),
    [
        ("nope=1", "the chain does not declare a parameter 'nope'"),
        ("modle=ridge", "Did you mean 'model'?"),
        ("model=rigde", "Did you mean 'ridge'?"),
        ("horizon=soon", "valid integer"),
        ("source=alpca", "Did you mean 'alpaca'?"),
        ("path=none.csv", "there is no such file or folder"),
        ("start=yesterday", "valid date"),
        ("prices=x.parquet", "does not declare a parameter 'prices'"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(project, typed, setting, text):
    """Exit code 2, the reason, and no run folder."""
    done = typed("run", "-p", setting, cwd=project)
    assert done.returncode == 2
    assert text in done.stderr
    assert not (project / "runs").exists()


def test_config_shows_every_section_and_no_secret(tmp_path, sta410):
    """The seed's view of the current configuration, as JSON."""
    secret = "PKSECRETSECRET123456"  # pragma: allowlist secret
    done = sta410("config", cwd=tmp_path, env={"ALPACA_API_KEY": secret, "GD_LR": "0.1"})
    assert done.returncode == 0
    shown = json.loads(done.stdout)
    assert shown["model"]["gd_learning_rate"] == 0.1
    assert secret not in done.stdout + done.stderr


@pytest.mark.slow
def test_the_doctor_finds_this_installation_well(project, sta410):
    """Warnings are allowed; every line has a state."""
    done = sta410("doctor", cwd=project)
    assert done.returncode == 0, done.stdout
    lines = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert len(lines) == 11
    assert all(line.split()[0] in {"ok", "warning"} for line in lines)


def test_the_doctor_fails_on_a_wrong_setting_and_a_broken_suite(project, sta410):
    """Exit code 2; a wrong configuration is reported once, and checks that need it point there."""
    (project / "expectations" / "prices.json").write_text("{")
    done = sta410("doctor", cwd=project, env={"GD_ITERATIONS": "-1"})
    lines = done.stdout.splitlines()
    assert done.returncode == 2
    assert done.stdout.count("gd_iterations") == 1
    assert any(line.startswith("failed   suites") for line in lines)
    assert "failed   secrets        not checked: see configuration" in lines
    assert "-> correct it; docs/configuration.md has all settings" in done.stdout


def test_config_tells_the_origins_of_its_values(tmp_path, sta410):
    """Variable, value and the layer it comes from; secrets masked."""
    secret = "hunter2-hunter2-hunter2"  # pragma: allowlist secret
    (tmp_path / ".env").write_text(f"RANDOM_SEED=7\nALPACA_SECRET_KEY={secret}\n")
    done = sta410("config", "--origins", cwd=tmp_path, env={"GD_LR": "0.2"})
    lines = [line.rsplit(maxsplit=1) for line in done.stdout.splitlines()]
    assert ["RANDOM_SEED=7", ".env"] in lines
    assert ["GD_LR=0.2", "environment"] in lines
    assert ["GD_MOMENTUM=0.9", "default"] in lines
    assert ["ALPACA_SECRET_KEY=**********", ".env"] in lines


@pytest.mark.filterwarnings("default:.* is deprecated")
def test_a_deprecated_setting_says_so_and_the_gate_cannot_be_switched_off(project, sta410):
    """A warning names the reason, and standard output stays JSON; the default gives none."""
    done = sta410("config", cwd=project, env={"TRAIN_TEST_SPLIT": "0.7", "MODEL_CACHE_DIR": "model_cache"})
    assert json.loads(done.stdout)["model"]["train_test_split"] == 0.7
    (note,) = done.stderr.splitlines()
    assert note.startswith(
        "sta410: warning: TRAIN_TEST_SPLIT from environment is deprecated: it changes nothing"
    )
    lines = sta410("config", "--origins", cwd=project).stdout.splitlines()
    assert [line.split("=")[0] for line in lines if line.endswith("  (deprecated)")] == [
        "MODEL_CACHE_DIR", "TRAIN_TEST_SPLIT",
    ]  # fmt: skip
    done = sta410("config", cwd=project, env={"VALIDATE_DATA": "false"})
    assert done.returncode == 2
    assert "VALIDATE_DATA=false is refused, because the gate cannot be switched off" in done.stderr


def test_docs_say_where_they_are_when_nothing_can_open_them(tmp_path, prices, sta410, monkeypatch):
    """No browser is not taken for one that opened; with one, the page it got is named."""
    prices.to_parquet(tmp_path / "prices.parquet")
    assert sta410("validate", "prices.parquet", cwd=tmp_path).returncode == 0
    monkeypatch.setattr(webbrowser, "open", lambda _: False)
    none = sta410("docs", cwd=tmp_path)
    assert none.stdout.startswith(f"no browser found; open {tmp_path}")
    assert "sta410 docs --serve" in none.stdout
    monkeypatch.setattr(webbrowser, "open", lambda _: True)
    one = sta410("docs", cwd=tmp_path)
    assert one.stdout.startswith(f"opened {tmp_path}")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "expectation", "where"),
    [
        ("high below low", "expect_column_pair_values_a_to_be_greater_than_b(high, low)", "MSFT 2012-06-01"),
        ("NaN close", "expect_column_values_to_not_be_null(close)", "MSFT 2012-06-01"),
        ("two rows exchanged", "expect_rows_in_order", "MSFT 2012-05-31"),
        ("duplicated session", "expect_compound_columns_to_be_unique(symbol, date)", "MSFT 2012-06-01"),
    ],
)
def test_one_broken_value_stops_the_chain_with_3(  # noqa: PLR0913, PLR0917 - fixtures and parameters
    sta410, project, prices, kind, expectation, where
):
    """With `strict`, symbol, date and expectation are named and shown, and nothing later runs."""
    row = prices.index[(prices["symbol"] == "MSFT") & (prices["date"] == "2012-06-01")][0]
    if kind == "high below low":
        prices.loc[row, "high"] = prices.loc[row, "low"] - 1
    elif kind == "NaN close":
        prices.loc[row, "close"] = float("nan")
    elif kind == "two rows exchanged":
        prices.loc[[row - 1, row]] = prices.loc[[row, row - 1]].to_numpy()
    else:
        prices = pd.concat([prices, prices.loc[[row]]])
    as_vendors_write_them(prices).to_csv(project / "mine.csv", index=False)
    given = ["-p", "source=files", "-p", "path=../mine.csv", "-p", "strict=true"]
    done = sta410("run", *given, cwd=project / "notebooks")
    assert done.returncode == 3, done.stderr
    assert expectation in done.stderr
    assert where in done.stderr
    run = next((project / "runs").glob("2*"))
    assert not (run / "prices.parquet").exists()
    assert not (run / "03_features.ipynb").exists()
    page = next((run / "data_docs" / "validations").rglob("index.html")).read_text()
    assert where in page
    assert expectation.split("(")[0] in page
    assert "rejected" in (run / "data_docs" / "index.html").read_text()


@pytest.mark.slow
def test_the_chain_runs_on_a_users_own_csv(project, sta410):
    """Another model, a longer horizon, two symbols, one of them all digits: forecasts for both."""
    mine = load_prices(symbols=["IBM", "MSFT"], start="2008-01-02").replace({"symbol": {"IBM": "000001"}})
    as_vendors_write_them(mine).to_csv(project / "mine.csv", index=False)
    words = ["source=files", "path=mine.csv", "model=boosting", "horizon=5", "symbols=000001,MSFT"]
    done = sta410("run", *(word for text in words for word in ("-p", text)), cwd=project)
    assert done.returncode == 0, done.stderr
    run = next((project / "runs").glob("2*"))
    forecasts = pd.read_parquet(run / "forecasts.parquet")
    assert forecasts["symbol"].tolist() == ["000001", "MSFT"]
    assert set(forecasts["horizon"]) == {5}
    assert set(forecasts["model"]) == {"boosting"}
    assert (forecasts["lower"] < forecasts["upper"]).all()
    assert json.loads((run / "verdict.json").read_text())["verdict"] in {"no skill shown", "not enough data"}
    for text in ("06_forecast", "PASSED", "000001", "verdict:", "report.html", "data_docs/index.html"):
        assert text in done.stdout
    assert {"prices", "features", "training", "predictions", "forecasts"} == {
        path.name for path in (run / "data_docs" / "validations").iterdir()
    }


@pytest.mark.slow
def test_bare_papermill_runs_a_notebook_too(project, tmp_path):
    """Without the kit's command, from the project's folder, with a parameter."""
    done = subprocess.run(
        [sys.executable, "-m", "papermill", "notebooks/04_train.ipynb", "out.ipynb", "-p", "model", "naive"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "unknown parameter" not in done.stderr
    assert "'model': 'naive'" in (tmp_path / "out.ipynb").read_text()
    assert (project / "runs" / "alone" / "04_train" / "predictions.parquet").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_with_130_and_leaves_no_kernel(
    tmp_path, write_slow_notebook, wait_until, gone, sent
):
    """An interrupt is an ending, not a traceback; the run says how far it came."""
    process = subprocess.Popen(
        [sys.executable, "-m", "sta410kit", "run", str(write_slow_notebook)],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    started = tmp_path / "started"
    assert wait_until(started.exists)
    kernel = int(started.read_text())
    process.send_signal(sent)
    _, errors = process.communicate(timeout=300)
    assert process.returncode == 130, errors
    assert "Traceback" not in errors
    assert gone(kernel)
    manifest = json.loads(next(tmp_path.glob("runs/*/manifest.json")).read_text())
    assert manifest["outcome"] == "INTERRUPTED"
    assert len(list(tmp_path.glob("runs/*/report.html"))) == 1


@pytest.mark.slow
def test_a_reader_that_leaves_does_not_change_the_exit_code(tmp_path, prices):
    """`sta410 validate ... | head -0` still says that the data are refused, and breaks nothing."""
    prices.assign(high=0.01).to_csv(tmp_path / "bad.csv", index=False)
    command = [sys.executable, "-m", "sta410kit", "validate", "bad.csv"]
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writing)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert "BrokenPipe" not in done.stderr


@pytest.fixture
def write_slow_notebook(tmp_path):
    """Write a notebook that says it has started and then sleeps."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    source = (
        "import os, time\nfrom pathlib import Path\n"
        "Path('started.part').write_text(str(os.getpid()))\n"
        "os.rename('started.part', 'started')\ntime.sleep(600)"
    )
    spec = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook = new_notebook(cells=[new_code_cell(source)], metadata={"kernelspec": spec})
    nbformat.write(notebook, tmp_path / "slow.ipynb")
    return tmp_path / "slow.ipynb"


@pytest.mark.slow
def test_the_fork_server_can_be_looked_after(tmp_path, short_folder, wait_until):
    """Started, seen, stopped; stopping what does not run is no trouble."""
    env = {"XDG_RUNTIME_DIR": str(short_folder)}
    assert (
        "no server runs; the first notebook starts it"
        in in_a_process("kernel", "status", cwd=tmp_path, env=env).stdout
    )
    assert "the server runs as process" in in_a_process("kernel", "start", cwd=tmp_path, env=env).stdout
    assert "with 0 kernels" in in_a_process("kernel", "status", cwd=tmp_path, env=env).stdout
    assert "stops when" in in_a_process("kernel", "stop", cwd=tmp_path, env=env).stdout
    assert wait_until(lambda: not list(short_folder.rglob("*.sock")))
    assert in_a_process("kernel", "stop", cwd=tmp_path, env=env).stdout == "no server runs\n"


def test_a_secret_given_as_a_parameter_ends_with_6_and_is_not_shown(project, sta410):
    """By its value, known from .env; nothing has run."""
    secret = "hunter2-hunter2-hunter2"  # pragma: allowlist secret
    (project / ".env").write_text(f"ALPACA_SECRET_KEY={secret}\n")
    done = sta410("run", "-p", f"symbols=AAPL,{secret}", cwd=project)
    assert done.returncode == 6
    assert "The parameter 'symbols' was given a secret (registered secret)" in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert not (project / "runs").exists()
    wrong = sta410("run", "-p", f"symbols;{secret}", cwd=project)
    assert wrong.returncode == 2


def test_scan_finds_and_exits_with_6_or_finds_nothing(project, sta410):
    """In words and as JSON; the value is in neither."""
    secret = "AKIAQ3EGZ7LWKPXN5TRV"  # pragma: allowlist secret
    clean = sta410("scan", cwd=project)
    assert clean.returncode == 0, clean.stdout
    assert "0 secrets found" in clean.stdout
    (project / "note.txt").write_text(f"x\n{secret}\n")
    done = sta410("scan", cwd=project)
    assert done.returncode == 6
    assert "note.txt: line 2: AWS Access Key: ****************5TRV" in done.stdout
    assert "pragma: allowlist secret" in done.stderr
    as_json = sta410("scan", "note.txt", "--json", cwd=project)
    assert as_json.returncode == 6
    assert json.loads(as_json.stdout)["findings"][0]["place"] == "line 2"
    assert secret not in done.stdout + done.stderr + as_json.stdout
    assert sta410("scan", "nowhere", cwd=project).returncode == 2


def test_unseal_records_and_lists(project, sta410):
    """Refused without a reason or a holdout; shown for people and machines."""
    env = {"HOLDOUT_START": "2012-01-01"}
    assert "never unsealed" in sta410("unseal", "--list", cwd=project, env=env).stdout
    for words in ([], ["--list", "--why", "x"], ["--why", "x", "--hours", "1000"]):
        assert sta410("unseal", *words, cwd=project, env=env).returncode == 2
    assert sta410("unseal", "--why", "x", cwd=project).returncode == 2
    done = sta410("unseal", "--why", "final look", cwd=project / "notebooks", env=env)
    assert done.returncode == 0
    assert "from 2012-01-01 on, by " in done.stdout
    assert "final look" in sta410("unseal", "--list", cwd=project).stdout
    listed = json.loads(sta410("unseal", "--list", "--json", cwd=project).stdout)
    assert [one["why"] for one in listed] == ["final look"]
    assert (project / "holdout.jsonl").is_file()
