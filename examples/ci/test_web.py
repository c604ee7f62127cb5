"""The stack in a test of Python: `pytest`, or `python3 -m unittest`, in this directory."""

import os
import subprocess
import unittest
import urllib.request

BOWLINE = os.environ.get("BOWLINE", "bowline")
# tells where everything is, and stays until its input ends
COMMAND = "env | grep ^BOWLINE_; echo; exec cat"


class Stack:
    """Up, healthy and proved. It goes when this process does, however that ends: the command ends with its input."""

    def __init__(self):
        line = [BOWLINE, "test", "--ephemeral-ports", "--", "sh", "-c", COMMAND]
        self.process = subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addresses = {}
        for told in iter(self.process.stdout.readline, ""):
            if told == "\n":
                return
            name, _, value = told.rstrip("\n").partition("=")
            self.addresses[name] = value
        raise RuntimeError(f"bowline test ended with {self.process.wait()}")

    def down(self):
        self.process.communicate()
        assert self.process.returncode == 0


class Web(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.stack = Stack()
        cls.addClassCleanup(cls.stack.down)

    def test_it_greets(self):
        with urllib.request.urlopen(f"http://{self.stack.addresses['BOWLINE_WEB_80']}/") as answer:
            self.assertEqual(answer.read(), b"hello from bowline\n")


if __name__ == "__main__":
    unittest.main()
