"""Cases of ONNX Runtime's own tests of its operators, as data.

Transcribed from deep_cpu_lstm_op_test.cc, deep_cpu_gru_op_test.cc and rnn_op_test.cc of
github.com/microsoft/onnxruntime (Copyright Microsoft Corporation, MIT License). A case is an
operator, attributes, inputs and what must come out; None where a test asks for no output.
"""

from typing import NamedTuple

import numpy as np

# fmt: off


class Case(NamedTuple):
    op_type: str
    attributes: dict
    inputs: dict  # X, W, R and, where there are any, B, sequence_lens, initial_h, initial_c, P
    outputs: tuple


def _array(numbers, shape):
    return np.array(numbers, np.float32).reshape(shape)


def _both(numbers, directions):
    return np.tile(np.array(numbers, np.float32).ravel(), directions)


_IOFC_W = [-0.494659, 0.0453352, -0.487793, 0.417264, -0.0175329, 0.489074, -0.446013, 0.414029]
_IOFC_W += [-0.0091708, -0.255364, -0.106952, -0.266717, -0.0888852, -0.428709, -0.283349, 0.208792]
_IOFC_R = [0.146626, -0.0620289, -0.0815302, 0.100482, -0.219535, -0.306635, -0.28515, -0.314112]
_IOFC_R += [-0.228172, 0.405972, 0.31576, 0.281487, -0.394864, 0.42111, -0.386624, -0.390225]
_IOFC_B = [0.381619, 0.0323954, -0.14449, 0.420804, -0.258721, 0.45056, -0.250755, 0.0967895]
_IOFC_B += [0.0] * 8
_IOF_P = [0.2345, 0.5235, 0.4378, 0.3475, 0.8927, 0.3456]

_ZRH_W = [-0.494659, 0.0453352, -0.487793, 0.417264, -0.0091708, -0.255364, -0.106952, -0.266717]
_ZRH_W += [-0.0888852, -0.428709, -0.283349, 0.208792]
_ZRH_R = [0.146626, -0.0620289, -0.0815302, 0.100482, -0.228172, 0.405972, 0.31576, 0.281487]
_ZRH_R += [-0.394864, 0.42111, -0.386624, -0.390225]
_ZRH_B = [0.381619, 0.0323954, -0.258721, 0.45056, -0.250755, 0.0967895] + [0.0] * 6

_X = [-0.455351, -0.276391, -0.185934, -0.269585]


def _lstm(
    direction, x, y, y_h, y_c, *, rows=1, bias=True, peepholes=True, h=None, c=None, lengths=None,
    **attributes,
):
    d = 2 if direction == "bidirectional" else 1
    inputs = {
        "X": _array(x, (2, rows, 2)),
        "W": _array(_both(_IOFC_W, d), (d, 8, 2)),
        "R": _array(_both(_IOFC_R, d), (d, 8, 2)),
    }
    if bias:
        inputs["B"] = _array(_both(_IOFC_B, d), (d, 16))
    if lengths:
        inputs["sequence_lens"] = np.array(lengths, np.int32)
    if h:
        inputs["initial_h"] = _array(h, (d, rows, 2))
    if c:
        inputs["initial_c"] = _array(c, (d, rows, 2))
    if peepholes:
        inputs["P"] = _array(_both(_IOF_P, d), (d, 6))
    state = (d, rows, 2)
    outputs = (
        _array(y, (2, d, rows, 2)),
        _array(y_h, state),
        None if y_c is None else _array(y_c, state),
    )
    return Case("LSTM", {"direction": direction, "hidden_size": 2, **attributes}, inputs, outputs)


_TANHS = ["tanh", "sigmoid", "tanh"]
_SIGMOIDS = ["sigmoid", "tanh", "tanh"]

_LSTM = {
    "ForwardPeepHole": _lstm(
        "forward", _X, [-0.0251062475, 0.0561261699, -0.03277518, 0.05935364],
        [-0.03277518, 0.05935364], [-0.0780206, 0.098829], clip=9999.0,
    ),
    "BidirectionalBasic": _lstm(
        "bidirectional", _X,
        [-0.0251062, 0.0561262, -0.0318928, 0.0762679, -0.0327752, 0.0593536, -0.0306872, 0.028035],
        [-0.0327752, 0.0593536, -0.0318928, 0.0762679],
        [-0.0780206, 0.098829, -0.0753684, 0.120794],
    ),
    "ForwardNoBiasUsePeepholes": _lstm(
        "forward", _X, [0.04154162, 0.01969122, 0.05298181, 0.0030589], [0.05298181, 0.0030589],
        [0.11169686, 0.00625722], bias=False,
    ),
    "ForwardInputForget": _lstm(
        "forward", _X, [-0.02510626, 0.05612619, -0.0314321, 0.05087372],
        [-0.0314321, 0.05087372], [-0.07474898, 0.08480116], input_forget=1, clip=999.0,
    ),
    "ForwardClip": _lstm(
        "forward", _X, [-0.02280854, 0.02744377, -0.03516197, 0.03875681],
        [-0.03516197, 0.03875681], [-0.07415761, 0.07395997], clip=0.1,
    ),
    "Backward": _lstm(
        "reverse", _X, [-0.03189282, 0.07626793, -0.03068724, 0.02803503],
        [-0.03189282, 0.07626793], [-0.07536839, 0.12079399],
    ),
    "Backward_gpu": _lstm(
        "reverse", _X, [-0.033075746, 0.074455738, -0.031248707, 0.027853041],
        [-0.033075746, 0.074455738], [-0.076699793, 0.11975205], peepholes=False,
    ),
    "ForwardHiddenState": _lstm(
        "forward", _X, [0.01797521, -0.07104912, -0.03174796, -0.0152949],
        [-0.03174796, -0.0152949], [-0.07285583, -0.02545788], peepholes=False, h=[0.34, 0.72],
    ),
    "ForwardCellState": _lstm(
        "forward", _X, [0.12797015, 0.0097284, 0.02716939, 0.01842997], [0.02716939, 0.01842997],
        [0.06408449, 0.03139432], peepholes=False, h=[0.34, 0.72], c=[0.63, 0.21],
    ),
    "Activation": _lstm(
        "forward", _X, [-0.0660155, 0.0351227, -0.04236888, 0.0177365],
        [-0.04236888, 0.0177365], [0.1624992, 0.04672481], peepholes=False, activations=_TANHS,
    ),
    "BatchReallocation": _lstm(
        "forward",
        [-0.455351, -0.476391, -0.555351, -0.376391, -0.655351, -0.276391, -0.185934, -0.869585,
         -0.285934, -0.769585, -0.385934, -0.669585],
        [-0.090715, 0.011908, -0.083193, 0.037192, -0.073643, 0.068889, -0.10545, -0.01573,
         -0.10621, -0.0056667, -0.10559, 0.015734],
        [-0.10545, -0.01573, -0.10621, -0.0056667, -0.10559, 0.015734],
        [0.21381, -0.096022, 0.23038, -0.0239, 0.24572, 0.051626],
        rows=3, peepholes=False, activations=_TANHS,
    ),
    "OutputWrite": _lstm(
        "bidirectional",
        [-0.455351, -0.776391, -0.355351, -0.576391, -0.255351, -0.376391, -0.185934, -0.169585,
         -0.285934, -0.469585, -0.385934, -0.669585],
        [-0.1269719, -0.01049645, -0.09596697, -0.00592083, -0.06777587, -0.00001902,
         -0.12206709, -0.0051103, -0.08422903, -0.00768428, -0.05224226, -0.0042149,
         -0.02778835, 0.00775075, -0.06541093, -0.00667958, -0.09953593, -0.00899231,
         -0.04350187, 0.01127771, -0.07949658, -0.00425178, -0.10883409, -0.00926061],
        [-0.02778835, 0.00775075, -0.06541093, -0.00667958, -0.09953593, -0.00899231,
         -0.12206709, -0.0051103, -0.08422903, -0.00768428, -0.05224226, -0.0042149],
        [0.14675268, 0.01759163, 0.19898503, -0.01828078, 0.24029977, -0.02784352,
         0.26577898, -0.01694398, 0.22469461, -0.02200207, 0.18284359, -0.01078442],
        rows=3, peepholes=False, activations=_TANHS * 2,
    ),
    "SequenceLengthAllZeros": _lstm(
        "bidirectional",
        [-0.455351, -0.776391, -0.355351, -0.576391, -0.185934, -0.169585, -0.285934, -0.469585],
        [0.0] * 16, [0.0] * 8, [0.0] * 8, rows=2, peepholes=False, activations=_TANHS * 2,
        lengths=[0, 0],
    ),
    "SequenceLengthPartialZeros": _lstm(
        "bidirectional", [-0.455351, -0.776391, 0.0, 0.0, -0.185934, -0.169585, 0.0, 0.0],
        [-0.1269719, -0.01049645, 0.0, 0.0, -0.12206709, -0.0051103, 0.0, 0.0,
         -0.02778835, 0.00775075, 0.0, 0.0, -0.04350187, 0.01127771, 0.0, 0.0],
        [-0.02778835, 0.00775075, 0.0, 0.0, -0.12206709, -0.0051103, 0.0, 0.0],
        [0.14675268, 0.01759163, 0.0, 0.0, 0.26577898, -0.01694398, 0.0, 0.0],
        rows=2, peepholes=False, activations=_TANHS * 2, lengths=[2, 0],
    ),
    "SequenceLengthShorterThanInputSequenceLength": _lstm(
        "bidirectional", _X,
        [-0.0251062, 0.0561262, -0.0318928, 0.0762679, 0.0, 0.0, 0.0, 0.0],
        [-0.0251062, 0.0561262, -0.0318928, 0.0762679], None, lengths=[1],
        h=[0.0, 0.0, -0.0306872, 0.028035], c=[0.0, 0.0, -0.07243599, 0.0467052],
    ),
    "SequenceLengthShorterThanInputSequenceLengthNoB": _lstm(
        "bidirectional", _X,
        [0.0415416, 0.0196912, 0.0295027, 0.0334400, 0.0, 0.0, 0.0, 0.0],
        [0.0415416, 0.0196912, 0.0295027, 0.0334400], None, lengths=[1], bias=False,
        h=[0.0, 0.0, -0.0306872, 0.028035], c=[0.0, 0.0, -0.07243599, 0.0467052],
    ),
    "ShorterSeqInMiddle": _lstm(
        "bidirectional",
        [-0.455351, -0.776391, 0.0, 0.0, 0.348763, 0.678345, -0.185934, -0.169585, 0.0, 0.0,
         0.078053, 0.163457],
        [0.02907280, 0.01765226, -0.06724346, 0.02957184, -0.15355367, 0.04701351,
         0.01841230, 0.04093486, -0.06724346, 0.02957184, -0.17994503, 0.07397783,
         -0.02912546, 0.04120104, 0.0, 0.0, -0.12768818, 0.07457943,
         -0.04350187, 0.03531464, 0.0, 0.0, -0.08877515, 0.03413615],
        [-0.0291254, 0.04120104, -0.06724346, 0.02957184, -0.12768818, 0.07457943,
         0.01841230, 0.04093486, -0.06724346, 0.02957184, -0.17994503, 0.07397783],
        [-0.06609819, 0.06838701, -0.14596788, 0.04902556, -0.26768601, 0.12119407,
         0.04934450, 0.07126625, -0.14596788, 0.04902556, -0.34139895, 0.11673255],
        rows=3, peepholes=False, activations=_SIGMOIDS * 2, lengths=[2, 1, 2],
    ),
    "ZeroSeqInMiddle": _lstm(
        "bidirectional",
        [-0.455351, -0.776391, 0.0, 0.0, 0.348763, 0.678345, 0.877836, 0.543859,
         -0.185934, -0.169585, 0.0, 0.0, 0.078053, 0.163457, 0.846098, 0.987531],
        [0.02907280, 0.01765226, 0.0, 0.0, -0.15355367, 0.04701351, -0.12951779, -0.00989562,
         0.01841230, 0.04093486, 0.0, 0.0, -0.15355367, 0.04701351, -0.17956293, 0.01607513,
         -0.02912546, 0.04120104, 0.0, 0.0, 0.0, 0.0, -0.22162350, 0.03132058,
         -0.04350187, 0.03531464, 0.0, 0.0, 0.0, 0.0, -0.17885581, 0.01959856],
        [-0.02912546, 0.04120104, 0.0, 0.0, -0.15355367, 0.04701351, -0.22162350, 0.03132058,
         0.01841230, 0.04093486, 0.0, 0.0, -0.15355367, 0.04701351, -0.17956293, 0.01607513],
        [-0.06609819, 0.06838701, 0.0, 0.0, -0.2894889, 0.07438067, -0.39655977, 0.05050645,
         0.04934450, 0.07126625, 0.0, 0.0, -0.28948891, 0.07438067, -0.34931409, 0.02799958],
        rows=4, peepholes=False, activations=_SIGMOIDS * 2, lengths=[2, 0, 1, 2],
    ),
}


def _gru(direction, x, y, y_h, *, rows=1, h=None, lengths=None, **attributes):
    d = 2 if direction == "bidirectional" else 1
    inputs = {
        "X": _array(x, (2, rows, 2)),
        "W": _array(_both(_ZRH_W, d), (d, 6, 2)),
        "R": _array(_both(_ZRH_R, d), (d, 6, 2)),
        "B": _array(_both(_ZRH_B, d), (d, 12)),
        "sequence_lens": np.array(lengths or [2] * rows, np.int32),
        "initial_h": _array(h or [0.0] * (2 * d * rows), (d, rows, 2)),
    }
    outputs = (_array(y, (2, d, rows, 2)), _array(y_h, (d, rows, 2)))
    return Case("GRU", {"direction": direction, "hidden_size": 2, **attributes}, inputs, outputs)


_GRU = {
    "ForwardBasic": _gru(
        "forward", _X, [-0.03255286, 0.0774838, -0.05556786, 0.0785508], [-0.05556786, 0.0785508]
    ),
    "BackwardBasic": _gru(
        "reverse", [-0.185934, -0.269585, -0.455351, -0.276391],
        [-0.05556786, 0.0785508, -0.03255286, 0.0774838], [-0.05556786, 0.0785508],
    ),
    "BidirectionalBasic": _gru(
        "bidirectional", _X,
        [-0.03255286, 0.0774838, -0.05469977, 0.1004222, -0.05556786, 0.0785508,
         -0.04566499, 0.04621252],
        [-0.05556786, 0.0785508, -0.05469977, 0.1004222],
    ),
    "ForwardActivation": _gru(
        "forward", _X, [0.222789, 0.4669829, 0.3810334, 0.4944591], [0.3810334, 0.4944591],
        activations=["tanh", "sigmoid"],
    ),
    "ForwardInitialHiddenState": _gru(
        "forward", _X, [0.2366661, -0.1500429, 0.07378622, -0.02782359],
        [0.07378622, -0.02782359], h=[0.5, -0.5],
    ),
    "ForwardBatchLinearBeforeReset": _gru(
        "forward", [*_X[:2], *_X[:2], *_X[2:], *_X[2:]],
        [0.253942400, -0.174207777, -0.0325528607, 0.0774837881, 0.0874997079, -0.0485242009,
         -0.0577347837, 0.0796165839],
        [0.0874997079, -0.0485242009, -0.0577347837, 0.0796165839], rows=2,
        h=[0.5, -0.5, 0.0, 0.0], linear_before_reset=1,
    ),
    "GrowBatchSequenceLength": _gru(
        "forward", [*_X[:2], *_X[:2], *_X[2:], 0.0, 0.0],
        [0.2366661, -0.1500429, -0.03255286, 0.0774838, 0.07378622, -0.02782359, 0.0, 0.0],
        [0.07378622, -0.02782359, -0.03255286, 0.0774838], rows=2, h=[0.5, -0.5, 0.0, 0.0],
        lengths=[2, 1],
    ),
    "SequenceLengthWithBidirectionalLinearBeforeReset": _gru(
        "bidirectional",
        [-0.455351, -0.276391, 0.855351, 0.676391, -0.185934, -0.269585, 0.585934, 0.669585],
        [-0.0325528607, 0.0774837881, -0.275918573, -0.00228558504,
         -0.0559310019, 0.101836264, -0.275918573, -0.00228558504,
         -0.0577347837, 0.0796165839, 0.0, 0.0, -0.0456649922, 0.0462125242, 0.0, 0.0],
        [-0.0577347837, 0.0796165839, -0.275918573, -0.00228558504,
         -0.0559310019, 0.101836264, -0.275918573, -0.00228558504],
        rows=2, lengths=[2, 1], linear_before_reset=1,
    ),
    "SequenceLengthWithPartialZero": _gru(
        "bidirectional",
        [-0.455351, -0.276391, 0.455351, 0.276391, -0.185934, -0.269585, 0.185934, 0.269585],
        [-0.03255286, 0.0774838, 0.0, 0.0, -0.05469977, 0.1004222, 0.0, 0.0,
         -0.05556786, 0.0785508, 0.0, 0.0, -0.04566499, 0.04621252, 0.0, 0.0],
        [-0.05556786, 0.0785508, 0.0, 0.0, -0.05469977, 0.1004222, 0.0, 0.0],
        rows=2, lengths=[2, 0],
    ),
    "SequenceLengthAllZeros": _gru(
        "forward", [*_X[:2], *_X[:2], *_X[2:], 0.0, 0.0], [0.0] * 8, [0.0] * 4, rows=2,
        lengths=[0, 0],
    ),
}


def _gru_of_32_units():
    """GRUTest.ONNXRuntime_TestGRUPositiveActivationAlphaBeta"""
    i = np.arange(32)
    r = np.zeros((1, 96, 32), np.float32)
    for gate, period in enumerate((2, 3, 5)):
        r[0, 32 * gate + i, i] = 0.1 + 0.1 * (i % period)
    rows = np.repeat(np.float32([0.1, 0.2, 0.3]), 32)
    inputs = {
        "X": _array([1.0, 2.0], (1, 1, 2)),
        "W": np.stack([np.stack([rows, rows], axis=1)] * 2),
        "R": np.concatenate([r, r]),
        "B": np.stack([np.concatenate([rows, np.zeros(96, np.float32)])] * 2),
        "initial_h": np.full((2, 1, 32), 0.25, np.float32),
    }
    first = [
        [0.589157104133446, 0.57789190635582, 0.596499289838044, 0.583932266186645],
        [0.92976461079108, 0.920318863429123, 0.931350963541001, 0.921736050322775],
    ]
    attributes = {
        "direction": "bidirectional",
        "hidden_size": 32,
        "activations": ["LeakyRelu", "Tanh", "Sigmoid", "ScaledTanh"],
        "activation_alpha": [0.5, 2.0],
        "activation_beta": [2.0],
    }
    return attributes, inputs, np.array(first)


GRU_OF_32_UNITS = _gru_of_32_units()
"""Attributes, inputs, and the first 4 units of both directions."""


def _simple_lstm(direction, y, y_h, y_c, lengths=None):
    """LSTMTest.*SimpleWeightsNoBiasTwoRows, MixedSequenceLengths*"""
    d = 2 if direction == "bidirectional" else 1
    w = [0.1, 0.2, 0.3, 0.4, 1.0, 2.0, 3.0, 4.0, 10.0, 11.0, 12.0, 13.0]
    inputs = {
        "X": _array([1.0, 2.0, 10.0, 11.0], (2, 2, 1)),
        "W": _array(_both(w, d), (d, 12, 1)),
        "R": np.full((d, 12, 3), 0.1, np.float32),
    }
    if lengths:
        inputs["sequence_lens"] = np.array(lengths, np.int32)
    outputs = (_array(y, (2, d, 2, 3)), _array(y_h, (d, 2, 3)), _array(y_c, (d, 2, 3)))
    return Case("LSTM", {"direction": direction, "hidden_size": 3}, inputs, outputs)


_FIRST = [0.28828835, 0.36581863, 0.45679406]
_SECOND = [0.34526032, 0.47220859, 0.55850911]
_LAST = [0.84196719, 0.89402526, 0.91073048, 0.85882828, 0.90703777, 0.92382453]
_BACK = [0.55391603, 0.69201493, 0.82696019, 0.64046413, 0.82303363, 0.91610711]
_BACK_FIRST = [0.61249432, 0.70678632, 0.74094619, 0.62759886, 0.71640738, 0.74624585]
_C = [1.27731147, 1.44181041, 1.53179041, 1.3249796, 1.51063104, 1.61451544]
_C_BACK = [1.27850552, 1.46799496, 1.57641257, 1.34960834, 1.54772296, 1.65633056]
_ZERO = [0.0] * 3

_SIMPLE = {
    "ForwardSimpleWeightsNoBiasTwoRows": _simple_lstm(
        "forward", [*_FIRST, *_SECOND, *_LAST], _LAST, _C
    ),
    "ReverseSimpleWeightsNoBiasTwoRows": _simple_lstm(
        "reverse", [*_BACK, *_BACK_FIRST], _BACK, _C_BACK
    ),
    "BidirectionalSimpleWeightsNoBiasTwoRows": _simple_lstm(
        "bidirectional", [*_FIRST, *_SECOND, *_BACK, *_LAST, *_BACK_FIRST], [*_LAST, *_BACK],
        [*_C, *_C_BACK],
    ),
    "MixedSequenceLengths": _simple_lstm(
        "forward", [*_FIRST, *_SECOND, *_ZERO, *_LAST[3:]], [*_FIRST, *_LAST[3:]],
        [0.52497941, 0.54983425, 0.5744428, *_C[3:]], [1, 2],
    ),
    "MixedSequenceLengthsReverse": _simple_lstm(
        "reverse", [*_BACK[:3], *_SECOND, *_BACK_FIRST[:3], *_ZERO], [*_BACK[:3], *_SECOND],
        [*_C_BACK[:3], 0.54983425, 0.59868795, 0.64565659], [2, 1],
    ),
}


def _rnn_with_lengths():
    """RNNTest.RNN_bidirectional_with_sequence_lens"""
    w = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.5, 0.6, 0.7, 0.3, 0.8, 0.4, 0.9, 0.5, 0.1, 0.6]
    inputs = {
        "X": _array([1, 2, 3, 4, 5, 6, 3, 1, 4, 4, 6, 3], (2, 3, 2)),
        "W": _array(w, (2, 4, 2)),
        "R": np.repeat(np.float32([0.1, 0.2]), 16).reshape(2, 4, 4),
        "B": np.full((2, 8), 0.1, np.float32),
        "sequence_lens": np.array([1, 2, 2], np.int32),
    }
    first = [0.7, 1.3, 1.9, 1.9, 1.3, 2.7, 4.1, 4.1, 1.9, 4.1, 6.3, 6.3]
    back = [
        0.90514827, 0.94680595, 0.97045195, 0.90514827, 0.99963105, 0.99990892, 0.99997759,
        0.99877548, 0.99999332, 0.99999928, 1.0, 0.99992537,
    ]
    second = [2.62, 4.22, 5.82, 5.82, 3.26, 5.06, 6.86, 6.86]
    back_first = [
        0.99955046, 0.99990916, 0.99998164, 0.99505484, 0.99995017, 0.99999166, 0.99999857,
        0.9890275,
    ]
    y = [*first, *back, *[0.0] * 4, *second, *[0.0] * 4, *back_first]
    outputs = (_array(y, (2, 2, 3, 4)), _array([*first[:4], *second, *back], (2, 3, 4)))
    attributes = {
        "direction": "bidirectional",
        "hidden_size": 4,
        "activations": ["Relu", "Tanh"],
    }
    return Case("RNN", attributes, inputs, outputs)


def _rnn_zigged():
    """RNNTest.RNN_bidirectional_bias_initial_zigged_batch, whose arrays begin with the batch"""
    x = [
        1.64644051, 2.14556813, 1.80829012, 1.63464952, 1.27096438, 1.93768239, 1.31276166,
        2.67531896, 2.89098835, 1.15032458, 1.30798471, 0.0777787, 1.64898741, 1.30596721,
        1.26110339, 0.99100447, 0.0, 0.0, 0.0, 0.0,
    ]
    y = [
        -0.58767605, 0.69586837, -0.48001164, -0.71697658, 0.99646497, 0.9980582, 0.8678354,
        -0.94409049, 0.8424542, -0.37213817, 0.99391747, 0.99555576, 0.12221602, -0.31430662,
        -0.42285997, -0.62726945, 0.988343, 0.9956606, 0.91737539, -0.92293501, 0.78396499,
        -0.87013513, 0.99671143, 0.9990834, 0.51060104, -0.95055139, -0.12672578, -0.51847482,
        0.99931973, 0.99655205, -0.92063117, 0.93283325, -0.93614483, 0.1513377, 0.90150106,
        0.74947751, 0.91569924, -0.96036619, 0.89311725, -0.13006453, 0.98576784, 0.98875856,
        -0.28076148, -0.04275616, -0.75480938, -0.84641802, 0.98438591, 0.96007115, *[0.0] * 12,
    ]
    inputs = {
        "X": np.ascontiguousarray(_array(x, (2, 5, 2)).swapaxes(0, 1)),
        "W": _array(
            [
                0.4317745, 0.37378395, -1.0386457, -0.22681296, 0.4418987, 0.49973935, 0.47248289,
                -0.63369429, 0.89542073, 0.69698066, 0.65118814, 1.0828459,
            ],
            (2, 3, 2),
        ),
        "R": _array(
            [
                -0.24072374, -0.29326528, -0.91741192, 0.5447638, 0.53938544, 0.79502326,
                -0.59813821, 0.020413321, -0.52225035, -0.4292987, -0.14766316, -0.91084105,
                0.23699039, 0.064034894, 0.089069292, -0.12803128, -0.081178986, 0.967533,
            ],
            (2, 3, 3),
        ),
        "B": _array(
            [
                -0.44529742, 0.80094892, -1.0028138, 0, 0, 0, 0.57412368, 0.13440208, -0.85748988,
                0, 0, 0,
            ],
            (2, 6),
        ),
        "sequence_lens": np.array([5, 3], np.int32),
        "initial_h": np.full((2, 2, 3), 1.2, np.float32),
    }
    y_h = [
        0.51060104, -0.95055139, -0.12672578, -0.28076148, -0.04275616, -0.75480938, -0.71697658,
        0.99646497, 0.9980582, 0.1513377, 0.90150106, 0.74947751,
    ]
    outputs = (_array(y, (2, 5, 2, 3)).transpose(1, 2, 0, 3), _array(y_h, (2, 2, 3)))
    attributes = {
        "direction": "bidirectional",
        "hidden_size": 3,
        "activations": ["Tanh", "Tanh"],
    }
    return Case("RNN", attributes, inputs, outputs)


def _rnn_reverse():
    """RNNTest.RNN_reverse_direction"""
    inputs = {
        "X": _array(
            [
                0.54881352, 0.71518934, 0.60276335, 0.54488319, 0.42365479, 0.64589411, 0.4375872,
                0.891773, 0.96366274, 0.38344151,
            ],
            (5, 1, 2),
        ),
        "W": _array(
            [-0.74535543, 0.21360011, 1.0782362, 0.092641734, -1.0087538, -0.97021431], (1, 3, 2)
        ),
        "R": _array(
            [
                -0.7322467, -0.95795155, -0.058495734, -0.7271859, -0.29820377, -0.85114992,
                -0.097570196, 0.82271612, 0.1396943,
            ],
            (1, 3, 3),
        ),
    }
    y = [
        -0.55397642, 0.83026606, -0.51471221, -0.55358219, 0.8341592, -0.44313878, -0.60828412,
        0.78948581, -0.34582433, -0.40591392, 0.89962566, -0.61860478, -0.56242156, 0.79118007,
        -0.872658,
    ]
    outputs = (_array(y, (5, 1, 1, 3)), _array(y[:3], (1, 1, 3)))
    return Case("RNN", {"direction": "reverse", "hidden_size": 3}, inputs, outputs)


CASES = {
    **{f"LSTM-{name}": case for name, case in {**_LSTM, **_SIMPLE}.items()},
    **{f"GRU-{name}": case for name, case in _GRU.items()},
    "RNN-bidirectional_with_sequence_lens": _rnn_with_lengths(),
    "RNN-bidirectional_bias_initial_zigged_batch": _rnn_zigged(),
    "RNN-reverse_direction": _rnn_reverse(),
}
