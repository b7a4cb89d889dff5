"""The translator of `rnnfast.examples` beside the same program in PyTorch.

    python bench/translate.py                   on an idle machine
    python bench/translate.py --cpu-time        on a busy one: how long one thread works

An epoch over the same dates in batches of as many, and greedy decoding of one sentence at a time.
Runs are interleaved, the fastest of each counts. PyTorch's program is `nn.LSTM` over packed
sequences or, where that is faster, over padded ones; it decodes with a loop over `nn.LSTMCell`,
whose keys are computed once a sentence. Before anything is timed, both have the same weights and
must give the same numbers.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence, pad_sequence

import rnnfast
from rnnfast import optimizers
from rnnfast.examples import dates, decoding
from rnnfast.examples.encoder_decoder import ATTENTIONS, EncoderDecoder
from rnnfast.examples.translate import Translator
from rnnfast.examples.vocabulary import BOUNDARY
from rnnfast.utils import set_random_seed

WIDTH, BATCH, LONGEST = 32, 32, 12


class TorchTranslator(nn.Module):
    """The layers of `encoder_decoder`, as modules."""

    def __init__(self, source: int, target: int, units: int, attention: str, packed: bool) -> None:
        super().__init__()
        self.packed = packed
        self.read = nn.Embedding(source, WIDTH, padding_idx=0)
        self.encoder = nn.LSTM(WIDTH, units // 2, bidirectional=True, batch_first=True)
        self.write = nn.Embedding(target, WIDTH, padding_idx=0)
        self.decoder = nn.LSTM(WIDTH, units, batch_first=True)
        additive = attention == "bahdanau"
        self.query = nn.Linear(units, units, bias=False) if additive else None
        self.scale = nn.Linear(units, 1, bias=False) if additive else None
        self.key = nn.Linear(units, units, bias=additive)
        self.combine = nn.Linear(2 * units, units)
        self.head = nn.Linear(units, target)

    def encode(self, source: Any, lengths: Any) -> tuple[Any, Any]:
        x = self.read(source)
        if self.packed:
            packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            y, state = self.encoder(packed)
            y, _ = pad_packed_sequence(y, batch_first=True)
        else:
            y, state = self.encoder(x)
        return y, tuple(s.transpose(0, 1).reshape(1, len(source), -1) for s in state)

    def attend(self, h: Any, encoded: Any, keys: Any, padding: Any) -> Any:
        if self.query is None:
            scores = h @ keys.transpose(1, 2)
        else:
            scores = self.scale(torch.tanh(self.query(h)[:, :, None] + keys[:, None])).squeeze(-1)
        if padding is not None:
            scores = scores.masked_fill(padding[:, None], -torch.inf)
        context = torch.softmax(scores, -1) @ encoded
        return self.head(torch.tanh(self.combine(torch.cat([h, context], -1))))

    def forward(self, source: Any, lengths: Any, previous: Any) -> Any:
        encoded, state = self.encode(source, lengths)
        h, _ = self.decoder(self.write(previous), state)
        return self.attend(h, encoded, self.key(encoded), source == 0)

    @torch.no_grad()
    def take_weights(self, parts: EncoderDecoder, head: Any) -> None:
        """Become what a model of ours is."""
        forward, backward = parts.encoder.forward_layer, parts.encoder.backward_layer
        cells = (self.encoder, "_l0", forward), (self.encoder, "_l0_reverse", backward)
        for module, suffix, layer in (*cells, (self.decoder, "_l0", parts.decoder)):
            kernel, recurrent, bias = map(torch.tensor, layer.get_weights())
            weights = {"weight_ih": kernel.T, "weight_hh": recurrent.T, "bias_ih": bias}
            weights["bias_hh"] = torch.zeros_like(bias)
            for name, value in weights.items():
                getattr(module, name + suffix).copy_(value)
        for embedding, layer in ((self.read, parts.read), (self.write, parts.write)):
            embedding.weight.copy_(torch.tensor(layer.get_weights()[0]))
        pairs = [(self.key, parts.key), (self.combine, parts.combine), (self.head, head)]
        if self.query is not None:
            pairs.append((self.query, parts.query))
            self.scale.weight.copy_(torch.tensor(parts.attend.get_weights()[0])[None])
        for linear, layer in pairs:
            for own, value in zip(linear.parameters(), layer.get_weights(), strict=True):
                own.copy_(torch.tensor(value.T))

    def cell(self) -> nn.LSTMCell:
        """The decoder's cell, for single steps."""
        cell = nn.LSTMCell(WIDTH, self.decoder.hidden_size)
        names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        cell.load_state_dict({name: getattr(self.decoder, f"{name}_l0") for name in names})
        return cell

    @torch.inference_mode()
    def begin(self, source: Any) -> tuple[Any, Any, Any, Any]:
        """Read one sentence; give what is looked at, its keys, and the state."""
        encoded, (h, c) = self.encode(source, torch.tensor([source.shape[1]]))
        return encoded, self.key(encoded), h[0], c[0]

    @torch.inference_mode()
    def greedy(
        self, cell: nn.LSTMCell, encoded: Any, keys: Any, h: Any, c: Any, steps: int
    ) -> list[int]:
        """Write `steps` symbols of one sentence."""
        symbol, written = torch.tensor([BOUNDARY]), []
        for _ in range(steps):
            h, c = cell(self.write(symbol), (h, c))
            symbol = self.attend(h[:, None], encoded, keys, None)[:, 0].argmax(-1)
            written.append(int(symbol))
        return written


def require_the_same(translator: Translator, attention: str, units: int, pairs: list[Any]) -> None:
    """Raise AssertionError unless both programs compute the same from the same weights."""
    # As many symbols are written of each sentence: none is the last.
    kernel, bias = translator.head.get_weights()
    bias[BOUNDARY] = -100
    translator.head.set_weights([kernel, bias])
    sizes = len(translator.source), len(translator.target)
    model = TorchTranslator(*sizes, units, attention, packed=True)
    model.take_weights(translator.parts, translator.head)
    (_, previous), _ = translator.arrays(pairs)
    read = translator.read([pair.words for pair in pairs])
    lengths = torch.tensor((read != 0).sum(axis=1))
    with torch.inference_mode():
        logits = model(torch.tensor(read), lengths, torch.tensor(previous))
    wanted = translator.model.predict([read, previous], verbose=0)
    np.testing.assert_allclose(torch.softmax(logits, -1), wanted, rtol=1e-4, atol=1e-5)
    served, cell = translator.served(), model.cell()
    for pair in pairs:
        source = torch.tensor(translator.read([pair.words]))
        found = model.greedy(cell, *model.begin(source), LONGEST)
        assert [found] == decoding.greedy(*served.begin([pair.words]), BOUNDARY, LONGEST)


def torch_epoch(model: TorchTranslator, optimizer: Any, read: list[Any], y: Any, x: Any) -> None:
    """Train for an epoch; batches are made beforehand in neither program."""
    order = torch.randperm(len(read))
    for rows in order.split(BATCH):
        chosen = [read[k] for k in rows]
        lengths = torch.tensor([len(one) for one in chosen])
        source = pad_sequence(chosen, batch_first=True)
        logits = model(source, lengths, x[rows])
        loss = nn.functional.cross_entropy(logits.transpose(1, 2), y[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


Clock = Callable[[], float]


def fastest(
    rounds: int, clock: Clock, programs: dict[str, Callable[[], object]]
) -> dict[str, float]:
    """Time programs in turn; return the shortest time of each."""
    found = dict.fromkeys(programs, float("inf"))
    for round_ in range(rounds + 1):
        for name, program in programs.items():
            began = clock()
            program()
            if round_:  # the first warms up
                found[name] = min(found[name], clock() - began)
    return found


def epochs(
    attention: str, pairs: list[Any], units: int, rounds: int, clock: Clock
) -> dict[str, float]:
    """Time an epoch of each program."""
    translator = Translator(pairs, units, WIDTH, attention)
    require_the_same(translator, attention, units, pairs[:20])
    translator.model.compile(optimizers.Adam(0.003), "sparse_categorical_crossentropy")
    (read, previous), following = translator.arrays(pairs)
    programs: dict[str, Callable[[], object]] = {
        "rnnfast": lambda: translator.model.fit(
            [read, previous], following, batch_size=BATCH, verbose=0
        )
    }
    sizes = len(translator.source), len(translator.target)
    tensors = [torch.tensor(one) for one in read], torch.tensor(following), torch.tensor(previous)
    for name, packed in (("PyTorch, packed", True), ("PyTorch, padded", False)):
        model = TorchTranslator(*sizes, units, attention, packed)
        optimizer = torch.optim.Adam(model.parameters(), 0.003)
        programs[name] = lambda m=model, o=optimizer: torch_epoch(m, o, *tensors)
    return fastest(rounds, clock, programs)


def tokens(
    attention: str, pairs: list[Any], units: int, rounds: int, clock: Clock
) -> dict[str, float]:
    """Time the decoding of sentences, one at a time, of as many symbols each."""
    translator = Translator(pairs, units, WIDTH, attention)
    sizes = len(translator.source), len(translator.target)
    model = TorchTranslator(*sizes, units, attention, packed=False)
    cell = model.cell()
    require_the_same(translator, attention, units, pairs[:20])
    served = translator.served()
    texts = [pair.words for pair in pairs[:20]]
    ours = [served.begin([text]) for text in texts]
    theirs = [model.begin(torch.tensor(translator.read([text]))) for text in texts]
    found = fastest(
        rounds,
        clock,
        {
            "rnnfast": lambda: [decoding.greedy(*one, BOUNDARY, LONGEST) for one in ours],
            "PyTorch": lambda: [model.greedy(cell, *one, LONGEST) for one in theirs],
        },
    )
    return {name: len(texts) * LONGEST / seconds for name, seconds in found.items()}


def main() -> None:
    """Print a table of either."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=3000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--cpu-time", action="store_true", help="of one thread")
    options = parser.parse_args()
    clock = time.process_time if options.cpu_time else time.perf_counter
    options.threads = 1 if options.cpu_time else options.threads
    torch.set_num_threads(options.threads)
    rnnfast.set_num_threads(options.threads)
    set_random_seed(0)
    pairs, _ = dates.pairs(np.random.default_rng(0), options.pairs, 1)
    print("| seconds for an epoch | rnnfast | PyTorch, packed | PyTorch, padded | ratio |")
    print("|---|---|---|---|---|")
    for attention in ATTENTIONS:
        ours, *theirs = epochs(attention, pairs, 128, options.rounds, clock).values()
        row = " | ".join(f"{one:.2f}" for one in (ours, *theirs, min(theirs) / ours))
        print(f"| {attention}, H=128, {len(pairs)} dates | {row} |", flush=True)
    print("\n| tokens a second, one sentence | rnnfast | PyTorch | ratio |\n|---|---|---|---|")
    for attention in ATTENTIONS:
        ours, theirs = tokens(attention, pairs, 256, 4 * options.rounds, clock).values()
        print(f"| {attention}, H=256 | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.2f} |")


if __name__ == "__main__":
    main()
