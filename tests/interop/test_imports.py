"""What a host's module imports beyond the host: little, since who swaps a model waits for it."""

import json
import subprocess
import sys

import pytest

# What is imported first, as programs of that host do.
HOSTS = {
    "torch": "torch",
    "jax": "jax, jax.numpy",
    "keras": "keras",
    "tensorflow": "tensorflow",
    "onnx": "onnxruntime",
    "sklearn": "sklearn.linear_model",
}


@pytest.mark.parametrize("host", HOSTS)
def test_little_is_imported_beyond_the_host(host):
    """torch's compiler, of which one decorator is enough, is 800 modules and a second."""
    program = f"""if True:
        import json, sys
        import numpy, {HOSTS[host]}
        before = set(sys.modules)
        import rnnfast.interop.{host}
        others = {{*sys.modules}} - before
        print(json.dumps(sorted(name for name in others if not name.startswith("rnnfast"))))
    """
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    others = json.loads(done.stdout.splitlines()[-1])
    assert len(others) < 40, others
