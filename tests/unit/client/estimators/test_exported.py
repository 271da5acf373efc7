import subprocess
import sys


def test_the_client_imports_without_scikit_learn() -> None:
    script = "import sys, crowdalpha.client; print('sklearn' in sys.modules)"

    shown = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert shown.stdout.strip() == "False"
