"""Reads a test suite in x509-limbo's format and has OpenSSL judge each case. Prints "ID SUCCESS" or "ID FAILURE reason".

usage: limbo.py SUITE.json. Nothing but Python's own library and the command openssl is needed.
"""

import datetime
import json
import os
import re
import subprocess
import sys
import tempfile

REQUIRED = {
    "id": str, "description": str, "validation_kind": str, "trusted_certs": list, "untrusted_intermediates": list,
    "peer_certificate": str, "signature_algorithms": list, "key_usage": list, "extended_key_usage": list,
    "expected_result": str, "expected_peer_names": list,
}
ID = re.compile(r"^([A-Za-z][A-Za-z0-9-.]+::)*([A-Za-z][A-Za-z0-9-.]+)$")


def check(case):
    for key, kind in REQUIRED.items():
        if not isinstance(case.get(key), kind):
            sys.exit(f"{case.get('id')}: {key} is {case.get(key)!r}")
    if not ID.match(case["id"]):
        sys.exit(f"{case['id']!r} is no ID")
    if case["validation_kind"] not in ("CLIENT", "SERVER") or case["expected_result"] not in ("SUCCESS", "FAILURE"):
        sys.exit(f"{case['id']}: {case['validation_kind']}, {case['expected_result']}")


def judge(case, folder):
    def write(name, certs):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="ascii") as f:
            f.write("".join(certs))
        return path

    at = datetime.datetime.fromisoformat(case["validation_time"].replace("Z", "+00:00"))
    # Security level 2 is what Debian's OpenSSL applies to the certificates of a connection.
    command = ["openssl", "verify", "-no-CApath", "-no-CAstore", "-auth_level", "2", "-attime", str(int(at.timestamp())),
               "-purpose", {"CLIENT": "sslclient", "SERVER": "sslserver"}[case["validation_kind"]]]
    command += ["-CAfile", write("trusted.pem", case["trusted_certs"])] if case["trusted_certs"] else ["-no-CAfile"]
    if case["untrusted_intermediates"]:
        command += ["-untrusted", write("untrusted.pem", case["untrusted_intermediates"])]
    if case["expected_peer_name"]:
        command += ["-verify_hostname", case["expected_peer_name"]["value"]]
    command.append(write("peer.pem", [case["peer_certificate"]]))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return "SUCCESS"
    reason = re.search(r"error \d+ at \d+ depth lookup: (.*)", done.stdout + done.stderr)
    return "FAILURE " + (reason.group(1) if reason else (done.stdout + done.stderr).strip().replace("\n", " "))


def main():
    with open(sys.argv[1], encoding="utf-8") as f:
        suite = json.load(f)
    if suite["version"] != 1:
        sys.exit(f"version {suite['version']}")
    ids = [case["id"] for case in suite["testcases"]]
    if len(set(ids)) != len(ids):
        sys.exit("two cases have one ID")
    with tempfile.TemporaryDirectory() as folder:
        for case in suite["testcases"]:
            check(case)
            print(case["id"], judge(case, folder), flush=True)


main()
