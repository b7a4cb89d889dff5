"""Nothing of a higher instruction set leaks into code that older processors run.

The linker keeps one copy of a weak symbol (an inline function, a template's instance) whichever
object it came from. A copy compiled for AVX-512 would crash an older processor in code that looks
innocent, so no target's object may share one; and the machine code itself is looked at as well.
"""

import platform
import re
from pathlib import Path

import pytest

import cmake_builds
from cmake_builds import binutils

pytestmark = pytest.mark.compiles

# The objects of each, one a scalar type or product format.
TABLES = ("float", "double", "bfloat16", "float16", "int8", "sparse")
AVX2 = tuple(f"avx2_{table}" for table in TABLES)
AVX512_ALONE = tuple(f"avx512_{table}" for table in TABLES)
AVX512_AND_MORE = ("avx512_bf16_bfloat16", "avx512_bf16_int8", "amx_bfloat16")
HIGHER_TARGETS = (*AVX2, *AVX512_ALONE, *AVX512_AND_MORE)
NEON = tuple(f"neon_{table}" for table in TABLES)

# VEX and EVEX instructions are those whose names begin with v, verr and verw excepted.
AVX = re.compile(r"^\s+[0-9a-f]+:\s+((?!verr\b|verw\b)v[a-z]\w*)", re.MULTILINE)
AVX512_BF16 = re.compile(r"\b(?:vdpbf16ps|vcvtne2?ps2bf16|vpdp\w+)\b")
AVX512 = re.compile(r"^.*(?:%zmm\d|%[xy]mm(?:1[6-9]|2\d|3[01])\b|%k[0-7]\b).*$", re.MULTILINE)


@pytest.fixture(scope="module")
def objects(native_build) -> dict[str, Path]:
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("not an x86-64 machine")
    return native_build.objects()


def source_of(target: str) -> str:
    return f"csrc/cpu/targets/{target}.cpp"


def weak_symbols(object_file: Path) -> set[str]:
    """Definitions that the linker merges with those of other objects."""
    rows = (line.split(maxsplit=2) for line in binutils("nm", "-C", object_file).splitlines())
    # DW.ref.* is a pointer that exception tables use: data, the same for every instruction set.
    return {
        row[2]
        for row in rows
        if len(row) == 3 and row[1] in "WVu" and not row[2].startswith("DW.ref.")
    }


def machine_code(object_file: Path) -> str:
    code = binutils("objdump", "-d", "--no-show-raw-insn", object_file)
    # An object of link-time optimisation holds none, and would pass every test below.
    assert "Disassembly of section .text" in code, f"{object_file} has no machine code"
    return code


def test_every_part_of_the_core_is_looked_at(objects):
    sources = {
        path.relative_to(cmake_builds.ROOT).as_posix()
        for path in (cmake_builds.ROOT / "csrc").rglob("*.cpp")
    }
    # The last is of the build for GPUs, whose other sources are those of the emulated one.
    elsewhere = {*map(source_of, NEON), "csrc/bindings/cuda/module.cpp"}
    assert sources - objects.keys() <= elsewhere


@pytest.mark.parametrize("target", HIGHER_TARGETS)
def test_no_weak_symbol_is_shared(objects, target):
    mine = weak_symbols(objects[source_of(target)])
    for source, object_file in objects.items():
        if source != source_of(target):
            shared = mine & weak_symbols(object_file)
            assert not shared, f"{source_of(target)} and {source} both define {sorted(shared)}"


def test_only_higher_targets_use_avx(objects):
    higher = {source_of(target) for target in HIGHER_TARGETS}
    for source in sorted(objects.keys() - higher):
        found = AVX.search(machine_code(objects[source]))
        assert not found, f"{source} uses {found[1]}"


@pytest.mark.parametrize("target", AVX2)
def test_avx2_uses_no_avx512(objects, target):
    found = AVX512.search(machine_code(objects[source_of(target)]))
    assert not found, found[0]


@pytest.mark.parametrize("target", HIGHER_TARGETS)
def test_only_the_target_with_bfloat16_and_vnni_has_their_instructions(objects, target):
    found = AVX512_BF16.search(machine_code(objects[source_of(target)]))
    assert bool(found) == (target in AVX512_AND_MORE)


@pytest.mark.parametrize("target", HIGHER_TARGETS)
def test_only_the_target_with_a_matrix_unit_has_its_instructions(objects, target):
    assert ("tdpbf16ps" in machine_code(objects[source_of(target)])) == (target == "amx_bfloat16")


@pytest.mark.parametrize(
    ("target", "register"), [("avx2_float", "%ymm"), ("avx512_double", "%zmm")]
)
def test_targets_use_the_registers_they_are_for(objects, target, register):
    """The looking itself works: what is absent elsewhere is seen where it must be."""
    assert register in machine_code(objects[source_of(target)])
