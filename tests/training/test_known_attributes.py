"""Classes and functions whose misspelt arguments and attributes are told what was meant."""

import inspect

import pytest

from rnnfast.utils.known_attributes import KnownAttributes
from rnnfast.utils.known_keywords import known_keywords


class Plain(KnownAttributes):
    def __init__(self, units, *, rate=0.5):
        self.given = units, rate


class Open(Plain):
    def __init__(self, units, **options):
        super().__init__(units)
        self.options = options


class Derived(Plain):
    pass


def test_arguments_arrive():
    assert Plain(3).given == (3, 0.5)
    assert Derived(units=3, rate=1).given == (3, 1)
    assert Open(3, anything=2).options == {"anything": 2}


@pytest.mark.parametrize("cls", [Plain, Derived])
def test_a_misspelt_argument_is_told(cls):
    message = f"^{cls.__name__} got an unexpected argument 'rat'; did you mean 'rate'"
    with pytest.raises(TypeError, match=message):
        cls(3, rat=0.1)
    with pytest.raises(TypeError, match=r"unexpected argument 'whatever'$"):
        cls(3, whatever=0.1)


def test_what_python_says_of_other_mistakes_stays():
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'units'"):
        Plain()
    with pytest.raises(TypeError, match="takes 2 positional arguments"):
        Plain(1, 2)


def test_who_looks_at_a_class_sees_its_arguments():
    assert (
        str(inspect.signature(Plain)) == str(inspect.signature(Derived)) == "(units, *, rate=0.5)"
    )
    assert str(inspect.signature(Open)) == "(units, **options)"


def test_a_function_tells_what_was_meant():
    @known_keywords
    def fit(x, epochs=1):
        return x, epochs

    assert fit(1) == (1, 1) and fit(x=2, epochs=3) == (2, 3)
    with pytest.raises(TypeError, match=r"fit\(\) got .* 'epoch'; did you mean 'epochs'"):
        fit(1, epoch=2)
    with pytest.raises(TypeError, match=r"argument 'whatever'$"):
        fit(1, whatever=2)
    assert list(inspect.signature(fit).parameters) == ["x", "epochs"]
