"""Runs every check and ends with a line like those of Rust's tests."""

import sys
import unittest
from pathlib import Path

suite = unittest.TestLoader().discover(str(Path(__file__).parent), pattern="check_*.py")
result = unittest.TextTestRunner(verbosity=2).run(suite)
failed = len(result.failures) + len(result.errors)
passed = result.testsRun - failed - len(result.skipped)
print(f"\ntest result: {'FAILED' if failed else 'ok'}. {passed} passed; {failed} failed; {len(result.skipped)} ignored")
sys.exit(1 if failed or not passed else 0)
