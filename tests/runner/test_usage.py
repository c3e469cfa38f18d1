"""Which parameters a notebook reads: in doubt all of them, but one that nothing reads is found."""

import pytest

from sta410kit.runner.usage import names_read

pytestmark = pytest.mark.unit


def reads(source, name="x"):
    """Tell whether the cells are taken to read a name."""
    found = names_read([source])
    return found is None or name in found


@pytest.mark.parametrize(
    "source",
    [
        "print(x)",
        "def f():\n    def g():\n        return x\n    return g",
        "f = lambda: x",
        "[y for y in x]",
        "{y: x for y in z}",
        "f'{x}'",
        "f'{y:{x}}'",
        "f'{x=}'",
        "x += 1",
        "x[0] = 1",
        "x.a = 1",
        "del x",
        "x: int = 3\nprint(x)",
        "y: x = 3",
        "class A(x): pass",
        "@x\ndef f(): pass",
        "def f(y=x): pass",
        "match x:\n    case 1: pass",
        "match y:\n    case x.a: pass",
        "(y := x)",
        "await x",
        "get_ipython().run_line_magic('time', 'f(x)')",
        "get_ipython().run_cell_magic('time', '', 'f(x)')",
        "get_ipython().system('echo {x}')",
        "get_ipython().system('echo $x')",
        "get_ipython().run_line_magic('run', '-i other.py')",
        "get_ipython().user_ns['x']",
        "frame.query('price > @x')",
        "numexpr.evaluate('x * 2')",
        "locals()['x']",
        "globals().get(name)",
        "vars()",
        "eval(text)",
        "exec(text)",
        "import __main__",
        "from __main__ import y",
        "sys.modules[__name__]",
        "sys._getframe().f_globals",
        "%%sql\nselect x",
        "this is no Python, x neither",
    ],
)
def test_whatever_reads_a_name_is_seen(source):
    """However a cell comes by the value, it is no reason to refuse the parameter."""
    assert reads(source)


@pytest.mark.parametrize(
    "source",
    [
        "",
        "y = 1",
        "x = 1",
        "x: int = 1",
        "for x in y: pass",
        "import a as x",
        "def x(): pass",
        "print('the x of it')",
        "print(f'x is {y}')",
        "'''about x'''",
        "frame['x']",
        "{'x': 1}",
        "y == 'x'",
        "frame.x",
        "f(x=1)",
        "# x",
        "frame.stack()",
        "if __name__ == '__main__': pass",
    ],
)
def test_what_only_looks_like_reading_is_not(source):
    """A name that is set, a key, an attribute, a keyword or a word in a printed text is not read."""
    assert not reads(source)
