"""What is refused, and that the message names the argument, what was wanted, what came, the fix."""

from __future__ import annotations

import re

import numpy as np
import pytest

import rnnfast
from rnnfast._check.cells import BY_FUNCTION, FACTS
from rnnfast.testing.cells import is_weight

F32, F64 = np.float32, np.float64


def arguments(gates: int = 4, dtype: type = F32) -> dict[str, np.ndarray]:
    """T 5, B 2, I 10, H 16: no two sizes alike, so that no message is right by chance."""
    return {
        "x": np.zeros((5, 2, 10), dtype),
        "w_ih": np.zeros((gates * 16, 10), dtype),
        "w_hh": np.zeros((gates * 16, 16), dtype),
        "b_ih": np.zeros(gates * 16, dtype),
        "b_hh": np.zeros(gates * 16, dtype),
        "h0": np.zeros((2, 16), dtype),
    }


def refused(error: type[Exception], message: str):
    return pytest.raises(error, match=f"^{re.escape(message)}")


# What is said of kernels as layers show them, whose gates have another order too.
OF_A_LAYER = (
    "; were it a layer's, or Keras's, its gates stood in another order as well: layer.prepack() "
    "sees to both"
)

SHAPES = [
    ("w_ih", (64, 12), "(4*H, I) = (64, 10)", ""),
    (
        "w_ih",
        (48, 10),
        "(4*H, I) = (64, 10)",
        "; 3*H rows are those of gru, or of forget_gate='coupled' or 'none'",
    ),
    ("w_ih", (640,), "(4*H, I) = (64, 10)", ""),
    ("w_ih", (10, 64), "(4*H, I) = (64, 10)", "; it looks transposed, pass w_ih.T" + OF_A_LAYER),
    ("w_hh", (60, 16), "(4*H, H) = (64, 16)", ""),
    ("w_hh", (16, 64), "(4*H, H) = (64, 16)", "; it looks transposed, pass w_hh.T" + OF_A_LAYER),
    ("w_hh", (64,), "(4*H, H) with H at least 1", ""),
    ("w_hh", (0, 0), "(4*H, H) with H at least 1", ""),
    ("b_ih", (16,), "(4*H,) = (64,)", ""),
    ("b_hh", (64, 1), "(4*H,) = (64,)", ""),
    ("h0", (16,), "(B, H) = (2, 16)", ""),
    ("h0", (1, 2, 16), "(B, H) = (2, 16)", "; drop the leading axis, pass h0[0]"),
    ("c0", (2, 64), "(B, H) = (2, 16)", ""),
    ("x", (5, 2, 0), "3-D (T, B, I) with I at least 1", ""),
    ("x", (10,), "3-D (T, B, I) with I at least 1", ""),
    ("x", (5, 10), "3-D (T, B, I)", "; for one sequence add the batch axis: x[:, None]"),
]


@pytest.mark.parametrize(("name", "shape", "wanted", "fix"), SHAPES)
@pytest.mark.parametrize("function", [rnnfast.lstm, rnnfast.lstm_vjp])
def test_shapes(function, name: str, shape: tuple[int, ...], wanted: str, fix: str) -> None:
    given = {**arguments(), name: np.zeros(shape, F32)}
    with pytest.raises(ValueError) as caught:
        function(**given)
    assert str(caught.value) == f"{name} must be {wanted}, got {shape}{fix}"


def projected(dtype: type = F32) -> dict[str, np.ndarray]:
    """As `arguments`, with R 6."""
    sizes = {"w_hh": (64, 6), "h0": (2, 6), "w_hr": (6, 16)}
    return {**arguments(dtype=dtype), **{n: np.zeros(s, dtype) for n, s in sizes.items()}}


SHAPES_PROJECTED = [
    ("w_hr", (16, 6), "(R, H) = (6, 16)", "; it looks transposed, pass w_hr.T"),
    ("w_hr", (16,), "(R, H) with both at least 1", ""),
    ("w_hr", (0, 16), "(R, H) with both at least 1", ""),
    ("w_hh", (64, 16), "(4*H, R) = (64, 6)", ""),
    ("w_hh", (6, 64), "(4*H, R) = (64, 6)", "; it looks transposed, pass w_hh.T" + OF_A_LAYER),
    ("w_ih", (24, 10), "(4*H, I) = (64, 10)", ""),
    ("b_ih", (24,), "(4*H,) = (64,)", ""),
    ("h0", (2, 16), "(B, R) = (2, 6)", ""),
    ("c0", (2, 6), "(B, H) = (2, 16)", ""),
]


@pytest.mark.parametrize(("name", "shape", "wanted", "fix"), SHAPES_PROJECTED)
@pytest.mark.parametrize("function", [rnnfast.lstm, rnnfast.lstm_vjp, rnnfast.lstm_trace])
def test_shapes_with_a_projection(
    function, name: str, shape: tuple[int, ...], wanted: str, fix: str
) -> None:
    given = {**projected(), name: np.zeros(shape, F32)}
    with pytest.raises(ValueError) as caught:
        function(**given)
    assert str(caught.value) == f"{name} must be {wanted}, got {shape}{fix}"


def test_a_projection() -> None:
    given = projected()
    with refused(TypeError, "w_hr must be float32 like x, got float64"):
        rnnfast.lstm(**{**given, "w_hr": given["w_hr"].astype(F64)})
    with refused(TypeError, "w_hr must be float32 or float64, got int64"):
        rnnfast.lstm(**{**given, "w_hr": given["w_hr"].astype(np.int64)})
    weights = {key: array for key, array in given.items() if key[0] in "wb"}
    with refused(TypeError, "w_hr must be float32 like w_ih, got float64"):
        rnnfast.prepack("lstm", **{**weights, "w_hr": given["w_hr"].astype(F64)})
    with refused(ValueError, "w_hr is an option of cell 'lstm', not of 'gru'"):
        rnnfast.prepack("gru", **weights)
    cell, row = rnnfast.prepack("lstm", **weights), given["x"][0]
    h, c = given["h0"], np.zeros((2, 16), F32)
    with refused(ValueError, "state h must be (B, R) = (2, 6), got (2, 16)"):
        cell.step(row, (c, c))
    with refused(ValueError, "state c must be (B, H) = (2, 16), got (2, 6)"):
        cell.step(row, (h, h))
    with refused(ValueError, "h0 must be (B, R) = (2, 6), got (2, 16)"):
        cell(given["x"], h0=c)
    (y, *_), pullback = rnnfast.lstm_vjp(**given)
    with refused(ValueError, "dy must be (T, B, R) = (5, 2, 6), got (5, 2, 16)"):
        pullback(dy=np.zeros((5, 2, 16), F32))
    with refused(ValueError, "dh_n must be (B, R) = (2, 6), got (2, 16)"):
        pullback(dh_n=c)
    with refused(ValueError, "out.w_hr must be (6, 16), got (2, 6)"):
        pullback(y, out=rnnfast.LSTMGrads(w_hr=h))
    with refused(ValueError, "out.w_hr must be None, that gradient is not computed"):
        _, plain = rnnfast.lstm_vjp(**arguments())
        plain(out=rnnfast.LSTMGrads(w_hr=h))


def test_projections_of_layers() -> None:
    given = projected()
    x, w_ih, w_hh, w_hr = (given[name] for name in ("x", "w_ih", "w_hh", "w_hr"))
    upper = np.zeros((64, 6), F32)
    with refused(ValueError, "w_hr must be a sequence of 2 arrays like w_ih, got ndarray"):
        rnnfast.lstm(x, [w_ih, upper], [w_hh] * 2, w_hr=w_hr)
    with refused(ValueError, "w_hr must be a sequence of 2 arrays like w_ih, got 1"):
        rnnfast.lstm(x, [w_ih, upper], [w_hh] * 2, w_hr=[w_hr])
    with refused(ValueError, "w_hr must be one array like w_ih, got a sequence of arrays"):
        rnnfast.lstm(x, w_ih, w_hh, w_hr=[w_hr])
    with refused(ValueError, "w_hr[1] must be an array like w_hr[0], got None"):
        rnnfast.lstm(x, [w_ih, upper], [w_hh, np.zeros((64, 16), F32)], w_hr=[w_hr, None])
    with refused(ValueError, "w_hr[1] must be (R, H) = (6, 16), got (5, 16)"):
        rnnfast.lstm(x, [w_ih, upper], [w_hh, w_hh[:, :5]], w_hr=[w_hr, w_hr[:5]])
    with refused(ValueError, "w_ih[1] must be (4*H, R) = (64, 6), got (64, 16)"):
        rnnfast.lstm(x, [w_ih, np.zeros((64, 16), F32)], [w_hh] * 2, w_hr=[w_hr] * 2)
    h0 = np.zeros((2, 2, 16), F32)
    with refused(ValueError, "h0 must be (L, B, R) = (2, 2, 6), got (2, 2, 16)"):
        rnnfast.lstm(x, [w_ih, upper], [w_hh] * 2, w_hr=[w_hr] * 2, h0=h0)


def test_shapes_say_the_gates_of_the_cell() -> None:
    with refused(ValueError, "w_ih must be (3*H, I) = (48, 10), got (64, 10)"):
        rnnfast.gru(**{**arguments(3), "w_ih": np.zeros((64, 10), F32)})
    with refused(ValueError, "w_hh must be (H, H) = (16, 16), got (48, 16)"):
        rnnfast.rnn(**{**arguments(1), "w_hh": np.zeros((48, 16), F32)})


OF_TWO = " or ".join(
    name for name, (one, *_) in BY_FUNCTION.items() if FACTS[one.core]["gates"] == 2
)
WHOSE = {
    rnnfast.rnn: {
        2: OF_TWO,
        3: "gru, or of lstm with forget_gate='coupled' or 'none'",
        4: "lstm",
    },
    rnnfast.gru: {1: "rnn", 2: OF_TWO, 4: "lstm"},
    rnnfast.mgu: {4: "lstm"},
    rnnfast.lstm: {1: "rnn", 3: "gru, or of forget_gate='coupled' or 'none'"},
}


@pytest.mark.parametrize("function", WHOSE, ids=lambda function: function.__name__)
def test_weights_of_another_cell_are_known_by_their_rows(function) -> None:
    for gates, whose in WHOSE[function].items():
        rows = "H" if gates == 1 else f"{gates}*H"
        fix = f"got ({gates * 16}, 16); {rows} rows are those of {whose}"
        given = arguments(gates)
        with pytest.raises(ValueError, match=f"^w_hh must be .*{re.escape(fix)}$"):
            function(**given)
        weights = {name: array for name, array in given.items() if is_weight(name)}
        with pytest.raises(ValueError, match=f"^w_hh must be .*{re.escape(fix)}$"):
            rnnfast.prepack(function.__name__, **weights)
    with pytest.raises(ValueError, match=r"got \(80, 16\)$"):
        function(**arguments(5))


def test_weights_of_another_forget_gate() -> None:
    fix = "; 4*H rows are those of forget_gate='own'"
    with pytest.raises(ValueError, match=f"{re.escape(fix)}$"):
        rnnfast.lstm(**arguments(), forget_gate="coupled")


@pytest.mark.parametrize("name", ["x", "w_ih", "w_hh", "b_ih", "b_hh", "h0", "c0"])
@pytest.mark.parametrize(
    "dtype", ["float16", "longdouble", "complex64", "int64", "bool", "object", "datetime64[s]"]
)
def test_other_dtypes(name: str, dtype: str) -> None:
    given = {**arguments(), "c0": np.zeros((2, 16), F32)}
    given[name] = given[name].astype(dtype)
    message = (
        f"{name} must be float32 or float64, got {given[name].dtype}; "
        f"convert it, for example np.asarray({name}, np.float32)"
    )
    with refused(TypeError, message):
        rnnfast.lstm(**given)


@pytest.mark.parametrize("name", ["w_ih", "w_hh", "b_ih", "b_hh", "h0", "c0"])
def test_mixed_dtypes(name: str) -> None:
    given = {**arguments(), "c0": np.zeros((2, 16), F32)}
    given[name] = given[name].astype(F64)
    message = (
        f"{name} must be float32 like x, got float64; "
        f"convert one of them, for example np.asarray({name}, np.float32)"
    )
    with refused(TypeError, message):
        rnnfast.lstm(**given)


@pytest.mark.parametrize("name", ["w_hh", "b_ih", "b_hh"])
def test_mixed_dtypes_of_packed_weights(name: str) -> None:
    weights = {key: array for key, array in arguments().items() if is_weight(key)}
    weights[name] = weights[name].astype(F64)
    with refused(TypeError, f"{name} must be float32 like w_ih, got float64"):
        rnnfast.prepack("lstm", **weights)


def test_a_required_argument_is_not_none() -> None:
    with refused(TypeError, "w_hh must be an array of float32 or float64, got None"):
        rnnfast.lstm(**{**arguments(), "w_hh": None})


def test_what_is_no_array() -> None:
    with refused(TypeError, "x must be an array of float32 or float64, but np.asarray refuses"):
        rnnfast.lstm(**{**arguments(), "x": [[1.0], [2.0, 3.0]]})
    with refused(TypeError, "x must be float32 or float64, got <U1"):
        rnnfast.lstm(**{**arguments(), "x": "x"})


def test_masked_elements_have_no_value() -> None:
    mask = np.zeros((5, 2, 10), bool)
    mask[1:, 0, 2] = True
    masked = np.ma.masked_array(np.ones((5, 2, 10), F32), mask)
    with refused(ValueError, "x must have no masked elements, got 4 masked of 100; give them"):
        rnnfast.lstm(**{**arguments(), "x": masked})


def test_options() -> None:
    with refused(ValueError, "nonlinearity must be 'tanh', 'relu' or 'sigmoid', got 'elu'"):
        rnnfast.rnn(**arguments(1), nonlinearity="elu")
    with refused(ValueError, "nonlinearity must be 'tanh', 'relu' or 'sigmoid', got ['tanh']"):
        rnnfast.rnn(**arguments(1), nonlinearity=["tanh"])
    with refused(ValueError, "forget_gate must be 'own', 'coupled' or 'none', got True"):
        rnnfast.lstm(**arguments(3), forget_gate=True)
    with refused(ValueError, "w_ih must be (3*H, I) = (48, 10), got (64, 10)"):
        rnnfast.lstm(**{**arguments(3), "w_ih": np.zeros((64, 10), F32)}, forget_gate="none")
    with refused(TypeError, "reset_after must be True or False, got 'before'"):
        rnnfast.gru(**arguments(3), reset_after="before")
    with refused(TypeError, "reverse must be True or False, got [5, 3]"):
        rnnfast.gru(**arguments(3), reverse=[5, 3])


def test_layer_norm() -> None:
    norm = np.ones(160, F32)
    with refused(ValueError, "layer_norm must be (10*H,) = (160,), got (64,)"):
        rnnfast.lstm(**arguments(), layer_norm=norm[:64])
    with refused(ValueError, "layer_norm must be (6*H,) = (96,), got (160,)"):
        rnnfast.gru_vjp(**arguments(3), layer_norm=norm)
    with refused(TypeError, "layer_norm must be float32 like x, got float64"):
        rnnfast.lstm_trace(**arguments(), layer_norm=norm.astype(F64))
    with refused(ValueError, "layer_norm needs forget_gate='own', got 'coupled'"):
        rnnfast.lstm(**arguments(3), forget_gate="coupled", layer_norm=norm)
    with refused(ValueError, "layer_norm and w_hr do not go together, pass one of them"):
        rnnfast.lstm(**arguments(), w_hr=np.ones((16, 16), F32), layer_norm=norm)
    with refused(ValueError, "layer_norm and peephole do not go together, pass one of them"):
        rnnfast.lstm(**arguments(), peephole=np.ones(48, F32), layer_norm=norm)
    with refused(ValueError, "layer_norm needs reset_after=True, got False"):
        rnnfast.gru(**arguments(3), reset_after=False, layer_norm=norm[:96])
    with refused(ValueError, "layer_norm must be one array like w_ih, got a sequence of arrays"):
        rnnfast.lstm(**arguments(), layer_norm=[norm, norm])
    weights = {key: array for key, array in arguments().items() if is_weight(key)}
    with refused(TypeError, "layer_norm must be float32 like w_ih, got float64"):
        rnnfast.prepack("lstm", **weights, layer_norm=norm.astype(F64))
    with refused(ValueError, "layer_norm is an option of cells 'lstm' and 'gru', not of 'rnn'"):
        rnnfast.prepack("rnn", **weights, layer_norm=norm)
    two = {
        key: [array, array[:, :1].repeat(16, 1) if key == "w_ih" else array]
        for key, array in weights.items()
    }
    with refused(ValueError, "layer_norm must be a sequence of 2 arrays like w_ih, got ndarray"):
        rnnfast.lstm(arguments()["x"], **two, layer_norm=norm)
    with refused(TypeError, "layer_norm[1] must be an array like those of the other layers"):
        rnnfast.lstm(arguments()["x"], **two, layer_norm=[norm, None])


def test_activations() -> None:
    names = "relu, tanh, sigmoid, affine, leaky_relu, thresholded_relu, scaled_tanh, hard_sigmoid"
    three = "activations must be 3 activations like ('sigmoid', 'tanh', 'tanh'), got "
    with refused(ValueError, f"{three}'tanh'"):
        rnnfast.lstm(**arguments(), activations="tanh")
    with refused(ValueError, f"{three}('sigmoid', 'tanh')"):
        rnnfast.lstm(**arguments(), activations=("sigmoid", "tanh"))
    with refused(ValueError, f"{three}3"):
        rnnfast.lstm(**arguments(), activations=3)
    with refused(
        ValueError, "activations must be one activation like ('tanh',), got ('elu', 'elu')"
    ):
        rnnfast.rnn(**arguments(1), activations=("elu", "elu"))
    with refused(ValueError, f"activations[1] must be one of {names}"):
        rnnfast.gru(**arguments(3), activations=("sigmoid", "softmax"))
    with pytest.raises(ValueError, match="got 'SiLU', whose slope does not follow from its result"):
        rnnfast.mgu(**arguments(2), activations=("sigmoid", "SiLU"))
    with refused(
        TypeError, "activations[0] must be a name, (name, alpha) or (name, alpha, beta), got"
    ):
        rnnfast.gru(**arguments(3), activations=(None, "tanh"))
    with refused(ValueError, "activations: relu takes no number, got ('relu', 2)"):
        rnnfast.rnn(**arguments(1), activations=("relu", 2))
    with refused(ValueError, "activations: elu takes alpha, got ('elu', 1, 2)"):
        rnnfast.rnn(**arguments(1), activations=("elu", 1, 2))
    with refused(ValueError, "activations: affine takes alpha and beta, got ('affine', 1, 2, 3)"):
        rnnfast.rnn(**arguments(1), activations=("affine", 1, 2, 3))
    with refused(TypeError, "alpha of activations must be a number, got None"):
        rnnfast.rnn(**arguments(1), activations=("elu", None))
    with refused(ValueError, "beta of activations[0] must be finite, got inf"):
        rnnfast.gru(**arguments(3), activations=(("affine", 1, np.inf), "tanh"))
    for name in ("leaky_relu", "thresholded_relu", "elu"):
        with refused(
            ValueError, f"alpha of activations must be at least 0 for {name}, whose slope"
        ):
            rnnfast.rnn(**arguments(1), activations=(name, -0.1))
    with refused(ValueError, "alpha of activations must not be 0 for scaled_tanh, got 0.0"):
        rnnfast.rnn(**arguments(1), activations=("ScaledTanh", 0))
    with refused(
        ValueError, "nonlinearity must be left out where activations are given, got 'relu'"
    ):
        rnnfast.rnn(**arguments(1), nonlinearity="relu", activations="elu")


def test_clip() -> None:
    for value in (0, -1.5):
        with refused(ValueError, f"clip must be None or a number above 0, got {value}"):
            rnnfast.lstm(**arguments(), clip=value)
    with refused(ValueError, "clip must be finite, got nan"):
        rnnfast.gru(**arguments(3), clip=np.nan)
    for value in (True, "1"):
        with refused(TypeError, f"clip must be a number, got {value!r}"):
            rnnfast.rnn(**arguments(1), clip=value)


def test_peephole() -> None:
    peephole = np.zeros(48, F32)
    with refused(ValueError, "peephole must be (3*H,) = (48,), got (64,)"):
        rnnfast.lstm(**arguments(), peephole=np.zeros(64, F32))
    with refused(TypeError, "peephole must be float32 like x, got float64"):
        rnnfast.lstm(**arguments(), peephole=peephole.astype(F64))
    for forget_gate in ("coupled", "none"):
        with refused(ValueError, f"peephole needs forget_gate='own', got {forget_gate!r}"):
            rnnfast.lstm(**arguments(3), peephole=peephole, forget_gate=forget_gate)
    with refused(ValueError, "peephole must be one array like w_ih, got a sequence of arrays"):
        rnnfast.lstm(**arguments(), peephole=[peephole])
    given = {key: [array] for key, array in arguments().items() if is_weight(key)}
    with refused(ValueError, "peephole must be a sequence of 1 arrays like w_ih, got ndarray"):
        rnnfast.lstm(arguments()["x"], **given, peephole=peephole)
    weights = {key: array for key, array in arguments(3).items() if is_weight(key)}
    with refused(ValueError, "peephole is an option of cell 'lstm', not of 'gru'"):
        rnnfast.prepack("gru", **weights, peephole=peephole)


def test_options_of_prepack() -> None:
    weights = {key: array for key, array in arguments(1).items() if is_weight(key)}
    with refused(ValueError, "cell must be 'rnn', 'lstm', 'gru'"):
        rnnfast.prepack("rnn_tanh", **weights)
    for given, fix in {
        "LSTM": "; pass 'lstm'",
        "Gru": "; pass 'gru'",
        "LightGRU": "; pass 'light_gru'",
        "RNN_TANH": "; pass 'rnn' and nonlinearity='tanh'",
        "lstm_norm": "; pass 'lstm' and layer_norm",
        "tcn": "",
    }.items():
        with refused(ValueError, "cell must be 'rnn', 'lstm', 'gru'") as caught:
            rnnfast.prepack(given, **weights, peephole=np.zeros(48, F32))
        assert str(caught.value).endswith(f"got {given!r}{fix}")
    with refused(TypeError, "cell must be the name of a kind of cell, StackWeights, a torch"):
        rnnfast.prepack(3, **weights)
    with refused(ValueError, "nonlinearity is an option of cell 'rnn', not of 'lstm'"):
        rnnfast.prepack("lstm", **weights, nonlinearity="relu")
    with refused(ValueError, "forget_gate is an option of cell 'lstm', not of 'rnn'"):
        rnnfast.prepack("rnn", **weights, forget_gate="none")
    with refused(ValueError, "reset_after is an option of cell 'gru', not of 'rnn'"):
        rnnfast.prepack("rnn", **weights, reset_after=False)


def test_shapes_of_prepack() -> None:
    given = arguments()
    with refused(ValueError, "w_ih must be (4*H, I) = (64, I), got (48, 10); 3*H rows are those o"):
        rnnfast.prepack("lstm", given["w_ih"][:48], given["w_hh"])
    for name in ("w_ih", "w_hh"):
        with refused(ValueError, f"{name} must be (4*H, "):
            rnnfast.prepack("lstm", **{"w_ih": given["w_ih"], "w_hh": given["w_hh"], name: F32(1)})
        with refused(ValueError, f"{name} must be (4*H, "):
            rnnfast.lstm(**{**given, name: F32(1)})
    with refused(ValueError, "w_ih must be (4*H, I) = (64, I), got (60, 10)"):
        rnnfast.prepack("lstm", given["w_ih"][:60], given["w_hh"])
    with refused(ValueError, "w_ih must be (4*H, I) = (64, I), got (10, 64); it looks transposed"):
        rnnfast.prepack("lstm", given["w_ih"].T, given["w_hh"])
    packed = rnnfast.prepack("lstm", given["w_ih"], given["w_hh"])
    with refused(ValueError, "x must be (T, B, I) = (5, 2, 10), got (5, 2, 16)"):
        packed(np.zeros((5, 2, 16), F32))
    with refused(TypeError, "x must be float32 like the packed weights, got float64"):
        packed(np.zeros((5, 2, 10), F64))
    with refused(TypeError, "c0 must be None, this cell has no cell state"):
        given = arguments(3)
        rnnfast.prepack("gru", given["w_ih"], given["w_hh"])(given["x"], c0=given["h0"])


def test_arguments_of_step() -> None:
    given = arguments()
    cell = rnnfast.prepack("lstm", given["w_ih"], given["w_hh"])
    row, h = given["x"][0], given["h0"]
    with refused(ValueError, "x_t must be 2-D (B, I), got (10,); for one sequence add"):
        cell.step(row[0])
    with refused(ValueError, "x_t must be 2-D (B, I), got (5, 2, 10)"):
        cell.step(given["x"])
    with refused(ValueError, "x_t must be (B, I) = (2, 10), got (2, 9)"):
        cell.step(row[:, :9])
    with refused(TypeError, "x_t must be float32 like the packed weights, got float64"):
        cell.step(row.astype(F64))
    with refused(TypeError, "state must be None or the pair (h, c), got ndarray"):
        cell.step(row, h)
    with refused(TypeError, "state must be None or the pair (h, c), got tuple of 3"):
        cell.step(row, (h, h, h))
    with refused(ValueError, "state c must be (B, H) = (2, 16), got (2, 15)"):
        cell.step(row, (h, h[:, :15]))
    with refused(TypeError, "state h must be float32 like the packed weights, got float64"):
        cell.step(row, (h.astype(F64), h))
    given = arguments(3)
    cell = rnnfast.prepack("gru", given["w_ih"], given["w_hh"])
    with refused(ValueError, "state must be (B, H) = (2, 16), got (1, 16)"):
        cell.step(row, h[:1])
    cell = rnnfast.prepack("gru", given["w_ih"], given["w_hh"], reverse=True)
    with refused(ValueError, "step needs a cell packed with reverse=False"):
        cell.step(row)


def test_arguments_of_a_pullback() -> None:
    (y, h_n, _), pullback = rnnfast.lstm_vjp(**arguments())
    with refused(ValueError, "dy must be (T, B, H) = (5, 2, 16), got (5, 16)"):
        pullback(dy=y[:, 0])
    with refused(ValueError, "dh_n must be (B, H) = (2, 16), got (1, 2, 16); drop the leading"):
        pullback(dh_n=h_n[None])
    with refused(ValueError, "dc_n must be (B, H) = (2, 16), got (16, 2); it looks transposed"):
        pullback(dc_n=h_n.T)
    with refused(TypeError, "dy must be float32 like x, got float64"):
        pullback(dy=y.astype(F64))


def test_wrt() -> None:
    names = "x, w_ih, w_hh, b_ih, b_hh, h0"
    extras = "w_hr, peephole, layer_norm"
    with refused(ValueError, f"wrt must name some of {names}, c0, {extras}, got 'weights'"):
        rnnfast.lstm_vjp(**arguments(), wrt=["x", "weights"])
    with refused(ValueError, f"wrt must name some of {names}, layer_norm, got 'c0'"):
        rnnfast.gru_vjp(**arguments(3), wrt=["c0"])
    with refused(TypeError, "wrt must be a collection of names, got the string 'x'; pass ['x']"):
        rnnfast.rnn_vjp(**arguments(1), wrt="x")
    with refused(TypeError, "wrt must be None or a collection of names, got 3"):
        rnnfast.lstm_vjp(**arguments(), wrt=3)


def test_out_of_a_pullback() -> None:
    (y, _, _), pullback = rnnfast.lstm_vjp(**{**arguments(), "b_ih": None}, wrt=["w_ih", "h0"])
    grads = rnnfast.LSTMGrads
    fit = np.ones((64, 10), F32)
    with refused(TypeError, "out must be LSTMGrads, got GRUGrads"):
        pullback(y, out=rnnfast.GRUGrads())
    with refused(ValueError, "out.b_ih must be None, that gradient is not computed"):
        pullback(y, out=grads(w_ih=fit, b_ih=np.zeros(64, F32)))
    with refused(ValueError, "out.x must be None, that gradient is not computed"):
        pullback(y, out=grads(w_ih=fit, x=np.zeros((5, 2, 10), F32)))
    with refused(ValueError, "out.h0 must be (2, 16), got (16,)"):
        pullback(y, out=grads(w_ih=fit, h0=np.zeros(16, F32)))
    with refused(TypeError, "out.h0 must be an array of float32 like x, got float64"):
        pullback(y, out=grads(w_ih=fit, h0=np.zeros((2, 16), F64)))
    with refused(TypeError, "out.h0 must be an array of float32 like x, got list"):
        pullback(y, out=grads(w_ih=fit, h0=[[0.0] * 16] * 2))
    read_only = np.zeros((2, 16), F32)
    read_only.flags.writeable = False
    with refused(ValueError, "out.h0 must be writeable, got a read-only array"):
        pullback(y, out=grads(w_ih=fit, h0=read_only))
    # A refused call has added nothing to the buffers that were fit.
    assert (fit == 1).all()


def test_memory_that_cannot_be_had() -> None:
    weights = np.zeros((64, 1), F32), np.zeros((64, 16), F32)
    one = np.zeros(1, F32)
    # 2**55 elements of y lie beyond any address space that a processor has.
    huge = np.broadcast_to(one, (2**41, 2**10, 1))
    # 2**62 bytes of x are within NumPy's arithmetic, and sixteen times as many of y are not.
    beyond = np.broadcast_to(one, (2**50, 2**10, 1))
    for x in (huge, beyond):
        # The broadcast axis of length 1 has stride 0 too: give it its own, to avoid a copy.
        x = np.lib.stride_tricks.as_strided(x, strides=(0, 0, 4), writeable=False)
        for function in (rnnfast.lstm, rnnfast.lstm_vjp, rnnfast.prepack("lstm", *weights)):
            extra = () if isinstance(function, rnnfast.Prepacked) else weights
            with pytest.raises(MemoryError):
                function(x, *extra)


def test_nan_and_infinity_are_numbers() -> None:
    given = arguments()
    for name in given:
        poisoned = {**given, name: np.full_like(given[name], np.nan)}
        (y, _, _), pullback = rnnfast.lstm_vjp(**poisoned)
        assert np.isnan(y).all(), name
        assert np.isnan(pullback(y).x).all(), name


F32_HOLDS = "can hold, 1.175e-38 to 3.403e+38 in size, got"
NOT_IN_FLOAT32: list[tuple[dict, str]] = [
    ({"clip": 1e-50}, f"clip must be a number that float32, the type of the arrays, {F32_HOLDS}"),
    ({"clip": 1e-40}, "clip must be a number that float32"),  # subnormal, zero in the kernels
    ({"clip": 1e300}, "clip must be a number that float32"),
    ({"activations": ("affine", 1e39)}, "alpha of activations must be a number that float32"),
    ({"activations": ("affine", 1.0, -1e39)}, "beta of activations must be a number that float32"),
    ({"activations": ("affine", 1e-50)}, "alpha of activations must be a number that float32"),
    ({"activations": ("leaky_relu", 1e39)}, "alpha of activations must be a number that float32"),
    ({"activations": ("elu", 1e39)}, "alpha of activations must be a number that float32"),
    ({"activations": ("thresholded_relu", 1e39)}, "alpha of activations must be a number that"),
    ({"activations": ("hard_sigmoid", 1e39, 0.5)}, "alpha of activations must be a number that"),
    ({"activations": ("scaled_tanh", 1e-50, 1.0)}, "alpha of activations must be a number that"),
    ({"activations": ("scaled_tanh", 2e38, 1.0)}, "1 / alpha of activations must be a number"),
    ({"activations": ("scaled_tanh", 1e30, 1e30)}, "alpha * beta of activations must be a number"),
    ({"activations": ("scaled_tanh", 1e-30, 1e-30)}, "alpha * beta of activations must be a"),
    ({"zoneout": 1e-50}, "zoneout of h must be a number that float32"),
    ({"zoneout": 1 - 1e-12}, "zoneout of h must be less than 1 in float32, the type of the arrays"),
]


@pytest.mark.parametrize(("options", "message"), NOT_IN_FLOAT32)
def test_numbers_that_float32_does_not_hold(options: dict, message: str) -> None:
    given, double = arguments(1), arguments(1, F64)
    weights = {name: array for name, array in given.items() if is_weight(name)}
    calls = [rnnfast.rnn, rnnfast.rnn_vjp]
    calls += [rnnfast.rnn_trace] if "zoneout" not in options else []
    for call in calls:
        with refused(ValueError, message) as caught:
            call(**given, **options)
        assert str(caught.value).endswith("; float64 can")
        call(**double, **options)
    with refused(ValueError, message):
        rnnfast.prepack("rnn", **weights, **options)
    with refused(ValueError, message):
        rnnfast.rnn(given["x"], [weights["w_ih"]], [weights["w_hh"]], **options)


def test_numbers_that_float64_does_not_hold() -> None:
    for options in ({"clip": 1e-310}, {"activations": ("scaled_tanh", 1e-308, 1.0)}):
        with pytest.raises(
            ValueError, match=r"must be a number that float64, .* in size, got \S+$"
        ):
            rnnfast.rnn(**arguments(1, F64), **options)
    with refused(ValueError, "clip must be finite as a float, got 1000"):
        rnnfast.rnn(**arguments(1, F64), clip=10**400)
    almost = 1 - np.finfo(np.longdouble).epsneg
    if float(almost) == 1:  # where long doubles are longer
        with refused(ValueError, "zoneout must be from 0 to less than 1, got"):
            rnnfast.rnn(**arguments(1, F64), zoneout=almost)


def test_the_place_of_a_number_is_named() -> None:
    chosen = ("sigmoid", ("affine", 1e39), "tanh")
    with refused(ValueError, "alpha of activations[1] must be a number that float32"):
        rnnfast.lstm(**arguments(), activations=chosen)
    with refused(ValueError, "zoneout of c must be a number that float32"):
        rnnfast.lstm(**arguments(), zoneout=(0.5, 1e-50))


def test_numbers_at_the_ends_of_what_float32_holds() -> None:
    ends = [1.2e-38, 3.4e38]
    for value in ends:
        for options in ({"activations": ("leaky_relu", value)}, {"clip": value}):
            assert np.isfinite(rnnfast.rnn(**arguments(1), **options).y).all()
    rnnfast.lstm(**arguments(), zoneout=(1.2e-38, float(np.nextafter(F32(1), F32(0)))))
