#!/usr/bin/env python3
"""People, tokens, secrets, alerts, reloading and stopping against the real daemon.

usage: access.py --build BUILD [NAME…]

Each scenario has a state folder of its own.  Receivers are real ones: an HTTP server, a mail server
(aiosmtpd), programs.  Prints one line a scenario; ends with 1 if one fails.
"""
import base64
import glob
import hashlib
import hmac
import http.client
import http.server
import json
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(ROOT, "tools"))
import faults  # noqa: E402
from faults import Skip, one_step  # noqa: E402
from product import children_of, find, wait_for  # noqa: E402


def port_of(world):
    """The port that the daemon says it listens on."""
    found = re.findall(r"ready .*listen=127\.0\.0\.1:(\d+)", world.log())
    return int(found[-1])


def call(world, method, path, token=None, body=None, headers=None, tls=None):
    port = port_of(world)
    made = {"Host": f"127.0.0.1:{port}", **(headers or {})}
    if token:
        made["Authorization"] = f"Bearer {token}"
    if body is not None:
        made["Content-Type"] = "application/json"
    connection = (http.client.HTTPSConnection("127.0.0.1", port, context=tls, timeout=10) if tls
                  else http.client.HTTPConnection("127.0.0.1", port, timeout=10))
    connection.request(method, path, body=None if body is None else json.dumps(body), headers=made)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, text


def token(world, name, role, *more):
    return world.pipectl("token", "create", "--name", name, "--role", role, *more, "--quiet").stdout.strip()


def audit(world):
    return world.ask("audit", "--limit", "1000")["lines"]


def tokens(world):
    """A token lets in what its role may, until it is revoked or expires."""
    world.write_config(world.place, 'listen = "127.0.0.1:0"\n')
    world.start()
    world.pipectl("apply", world.pipeline(one_step(["sh", "-c", "echo 1 > {out.x}"])))
    viewer, operator, admin = (token(world, role, role) for role in ("viewer", "operator", "admin"))
    runs = "/api/v1/pipelines/one/runs"
    assert call(world, "GET", "/api/v1/status")[0] == 401
    assert call(world, "GET", "/api/v1/status", "garbage")[0] == 401
    assert call(world, "GET", "/api/v1/status", viewer)[0] == 200
    assert call(world, "POST", runs, viewer, {})[0] == 403
    assert call(world, "POST", runs, operator, {})[0] == 200
    assert call(world, "GET", "/api/v1/audit", operator)[0] == 403
    assert call(world, "GET", "/api/v1/audit", admin)[0] == 200
    evil = {"Origin": "https://evil.example"}
    assert call(world, "GET", "/api/v1/status", viewer, headers=evil)[0] == 403
    assert call(world, "GET", "/api/v1/status", viewer, headers={"Host": "evil.example"})[0] == 421
    world.pipectl("token", "revoke", "operator")
    assert call(world, "POST", runs, operator, {})[0] == 401
    short = token(world, "short", "viewer", "--expires", "1s")
    assert call(world, "GET", "/api/v1/status", short)[0] == 200
    assert wait_for(lambda: call(world, "GET", "/api/v1/status", short)[0] == 401)
    states = {t["name"]: t["state"] for t in world.ask("token", "list")["tokens"]}
    assert states == {"viewer": "good", "operator": "revoked", "admin": "good", "short": "expired"}, states
    database = open(os.path.join(world.place, "state", "state.db"), "rb").read()
    for text in (viewer, operator, admin, short):
        assert text.encode() not in database and text not in world.log()
    world.stop()
    world.start()
    assert call(world, "GET", "/api/v1/status", viewer)[0] == 200, "tokens outlive a restart"
    assert call(world, "POST", runs, operator, {})[0] == 401


def audit_log(world):
    """Every change leaves a line with its effect, and the chain is whole after a kill."""
    world.write_config(world.place, 'listen = "127.0.0.1:0"\n')
    world.start()
    world.pipectl("apply", world.pipeline(one_step(["sh", "-c", "echo 1 > {out.x}"])))
    world.pipectl("run", "one", "--wait", "--timeout", "60s")
    world.pipectl("pause", "one")
    world.pipectl("cancel", "1", "--why", "test", expect=None)
    viewer = token(world, "eve", "viewer")
    call(world, "POST", "/api/v1/pipelines/one/runs", viewer, {})
    world.pipectl("reload")
    lines = list(reversed(audit(world)))
    what = [(line["subject"], line["outcome"].split(":")[0]) for line in lines]
    assert what == [("/api/v1/pipelines", "done"), ("/api/v1/pipelines/one/runs", "done"),
                    ("/api/v1/pipelines/one/pause", "done"), ("/api/v1/runs/1/cancel", "done"),
                    ("/api/v1/tokens", "done"), ("/api/v1/pipelines/one/runs", "denied"),
                    ("/api/v1/reload", "answered")], what
    assert lines[5]["who"] == "token eve" and lines[5]["role"] == "viewer", lines[5]
    assert lines[5]["from"].startswith("127.0.0.1:") and lines[0]["from"].startswith("socket pid"), lines
    world.stop(signal.SIGKILL)
    world.start()
    assert world.ask("audit", "--verify")["whole"]
    assert len(audit(world)) == 7


def everything_about(world):
    """Every file of the state and store, and what /proc tells of the daemon and its children."""
    for folder, _, names in os.walk(world.place):
        for name in names:
            path = os.path.join(folder, name)
            if path.endswith(("the-secret", "pipelined.toml.hidden")):
                continue
            try:
                with open(path, "rb") as file:
                    yield path, file.read()
            except OSError:
                pass
    for pid in [world.daemon.pid] + children_of(world.daemon.pid):
        for name in ("cmdline", "environ"):
            try:
                with open(f"/proc/{pid}/{name}", "rb") as file:
                    yield f"/proc/{pid}/{name}", file.read()
            except OSError:
                pass


SECRET_STEP = """name = "one"
[step.a]
operator = "command.run"
secrets = ["db_password"]
params.argv = ["sh", "-c", "test $(wc -c < $0) = 40 && cat $0 && echo got it > {out.x}; cat $0 >&2; head -c 20 $0; sleep 0.2; tail -c 20 $0; env; false", "{secret.db_password}"]
out.x = "files/1"
retry = { max = 1, backoff = "1ms" }

[step.b]
operator = "command.run"
after = ["a"]
run_on = "always"
params.argv = ["sh", "-c", "ls -a .. > {out.x}; cat ../secrets/* ; env >> {out.x}"]
out.x = "files/1"
"""


def secrets(world):
    """A secret reaches the step that names it, and nothing else: not one file, line or process."""
    canary = "canary-" + hashlib.sha256(os.urandom(8)).hexdigest()[:33]
    hidden = world.place + "-hidden"
    os.mkdir(hidden, 0o700)
    with open(os.path.join(hidden, "the-secret"), "w") as file:
        file.write(canary)
    world.write_config(world.place, f'[secrets]\ndb_password = {{ file = "{hidden}/the-secret" }}\n')
    world.start()
    try:
        world.pipectl("apply", world.pipeline(SECRET_STEP))
        world.pipectl("run", "one", "--wait", "--timeout", "60s", expect=None)
        detail = world.ask("show", "last")
        assert find(detail, "a")["state"] == "failed", find(detail, "a")
        log = world.pipectl("logs", "last", "a").stdout
        assert "***" in log, log
        assert "PIPELINED" not in log and "db_password" not in re.sub(r"/secrets/db_password", "", log), log
        assert find(detail, "b")["state"] == "succeeded", find(detail, "b")
        world.pipectl("explain", "last", "a")
        found = [path for path, content in everything_about(world) if canary.encode() in content]
        assert not found, found
        world.stop()
        assert canary not in world.log()
    finally:
        shutil.rmtree(hidden)


def secret_is_used(world):
    """The file that {secret.NAME} names holds the value, and an unknown secret fails with its name."""
    with open(os.path.join(world.place, "the-secret"), "w") as file:
        file.write("swordfish-1234\n")
    world.write_config(world.place, f'[secrets]\npw = {{ file = "{world.place}/the-secret" }}\n')
    world.start()
    step = one_step(["sh", "-c", "sha256sum < {secret.pw} > {out.x}"], 'secrets = ["pw"]\n')
    world.pipectl("apply", world.pipeline(step))
    world.pipectl("run", "one", "--wait", "--timeout", "60s")
    digest = find(world.ask("show", "last"), "a")["outputs"][0]["digest"]
    head = world.pipectl("artifact", "head", digest).stdout
    assert hashlib.sha256(b"swordfish-1234\n").hexdigest() in head, head
    unknown = one_step(["sh", "-c", "cat {secret.other} > {out.x}"], 'secrets = ["other"]\n')
    world.pipectl("apply", world.pipeline(unknown))
    world.pipectl("run", "one", "--wait", "--timeout", "60s", expect=1)
    reason = find(world.ask("show", "last"), "a")["reason"]["sentence"]
    assert "no secret 'other'" in reason, reason


def drain(world):
    """SIGTERM lets an attempt that runs finish, and what it made is kept."""
    world.start()
    step = one_step(["sh", "-c", "touch {scratch}/../begun; sleep 2; echo done > {out.x}"])
    world.pipectl("apply", world.pipeline(step.replace("touch {scratch}/../begun; ", "")))
    world.pipectl("run", "one")
    assert wait_for(lambda: world.ask("status")["live_attempts"] == 1)
    world.stop()
    assert "stopping attempts=1" in world.log()
    world.start()
    detail = world.rest(1)
    assert detail["run"]["state"] == "succeeded", detail["run"]
    assert len(find(detail, "a")["attempts"]) == 1, find(detail, "a")


def drain_ends(world):
    """An attempt that does not end in time is killed, counts no try, and runs again."""
    world.write_config(world.place, 'drain = "1s"\n')
    world.start()
    world.pipectl("apply", world.pipeline(one_step(["sh", "-c", "sleep $(cat /tmp/none 2>/dev/null || echo 3); echo 1 > {out.x}"])))
    world.pipectl("run", "one")
    assert wait_for(lambda: world.ask("status")["live_attempts"] == 1)
    began = time.monotonic()
    world.stop()
    assert 0.9 < time.monotonic() - began < 2.9, time.monotonic() - began
    world.start()
    detail = world.rest(1)
    assert detail["run"]["state"] == "succeeded", detail["run"]
    assert find(detail, "a")["tries"] <= 1, find(detail, "a")


def reload(world):
    """Reloading takes what it can, names what it cannot, and refuses a file with mistakes."""
    world.start()
    world.write_config(world.place, 'listen = "127.0.0.1:0"\nlog_level = "debug"\n[capacity]\nattempts = 2\n')
    reply = world.ask("reload")
    assert set(reply["changed"]) == {"log_level", "capacity.attempts"}, reply
    assert reply["needs_restart"] == ["listen"], reply
    world.write_config(world.place, 'log_level = "loud"\n')
    done = world.pipectl("reload", expect=1)
    assert "log_level must be" in done.stdout, done
    world.write_config(world.place)
    world.daemon.send_signal(signal.SIGHUP)
    assert wait_for(lambda: world.log().count("reloaded file=") == 2)


def plugin_reload(world):
    """A changed plugin is used by new runs without a restart, and a running attempt finishes."""
    source = os.path.join(ROOT, "plugins", "example")
    built = glob.glob(os.path.join(world.plugins, "*.so"))
    if not built:
        raise Skip("this build has no plugins")
    folder = os.path.join(world.place, "plugins")
    os.mkdir(folder, 0o755)
    world.plugins = folder
    world.write_config(world.place)
    world.start()
    before = len(world.ask("operators")["operators"])
    chosen = sorted(built)[0]
    shutil.copy(chosen, os.path.join(folder, "new.part"))
    os.rename(os.path.join(folder, "new.part"), os.path.join(folder, os.path.basename(chosen)))
    reply = world.ask("reload")
    assert len(reply["plugins"]) == 1 and "is new" in reply["plugins"][0], reply
    assert len(world.ask("operators")["operators"]) > before
    assert world.ask("reload")["plugins"] == []
    os.remove(os.path.join(folder, os.path.basename(chosen)))
    assert "is gone" in world.ask("reload")["plugins"][0]
    assert source


def rolling_hosts(world):
    """After a reload new runs get new hosts; the old one goes when its run has ended."""
    world.start()
    world.pipectl("apply", world.pipeline(one_step(["sh", "-c", "sleep 2; echo 1 > {out.x}"])))
    world.pipectl("run", "one")
    assert wait_for(lambda: world.ask("status")["live_attempts"] == 1)
    old = [p for p in children_of(world.daemon.pid)]
    world.pipectl("reload")
    other = one_step(["sh", "-c", "echo 2 > {out.x}"]).replace('"one"', '"two"')
    world.pipectl("apply", world.pipeline(other, "second"))
    world.pipectl("run", "two", "--wait", "--timeout", "60s")
    assert world.rest(1)["run"]["state"] == "succeeded"
    assert len(find(world.ask("show", "1"), "a")["attempts"]) == 1
    assert wait_for(lambda: not any(faults.alive(pid) for pid in old)), old


class Receiver(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((dict(self.headers), body))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


def receiver():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    server.seen, server.status = [], 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def webhook(world):
    """Webhooks are signed, grouped, and tell that an alert is over."""
    server = receiver()
    with open(os.path.join(world.place, "key"), "w") as file:
        file.write("signing-key-0123456789")
    world.write_config(world.place, f"""
[secrets]
key = {{ file = "{world.place}/key" }}
[[sink]]
name = "ops"
url = "http://127.0.0.1:{server.server_port}/hook"
secret = "key"
[[alert]]
name = "failures"
to = ["ops"]
when = ["failed"]
group_wait = "2s"
""")
    world.start()
    both = one_step(["sh", "-c", "exit 1; echo {out.x}"]) + """
[step.b]
operator = "command.run"
params.argv = ["sh", "-c", "exit 2; echo {out.x}"]
out.x = "files/1"
"""
    world.pipectl("apply", world.pipeline(both))
    world.pipectl("run", "one", "--wait", "--timeout", "60s", expect=1)
    assert wait_for(lambda: len(server.seen) >= 1), world.log()
    headers, body = server.seen[0]
    headers = {name.lower(): value for name, value in headers.items()}
    text = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    made = "v1," + base64.b64encode(hmac.new(b"signing-key-0123456789", text, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == made, headers
    assert headers["webhook-id"] == headers["idempotency-key"]
    message = json.loads(body)
    assert message["kind"] == "failed" and message["status"] == "new" and len(message["also"]) == 1, message
    good = both.replace("exit 1; echo", "echo 1 >").replace("exit 2; echo", "echo 1 >")
    world.pipectl("apply", world.pipeline(good))
    world.pipectl("run", "one", "--wait", "--timeout", "60s")
    assert wait_for(lambda: sum(json.loads(b)["status"] == "recovered" for _, b in server.seen) == 2, 20), server.seen
    reply = world.pipectl("alerts", "test", "ops")
    assert "took the message" in reply.stdout, reply
    server.status = 500
    assert "status 500" in world.pipectl("alerts", "test", "ops", expect=None).stderr
    server.shutdown()


def conditions(world):
    """A silent source and a full disk are alerts, and stop being ones."""
    world.write_config(world.place, """
[[sink]]
name = "log"
command = ["/bin/sh", "-c", "cat >> %s/told"]
[[alert]]
to = ["log"]
when = ["disk_low"]
disk_below = "900TB"
""" % world.place)
    world.start()
    told = os.path.join(world.place, "told")
    assert wait_for(lambda: os.path.exists(told) and "MiB left" in open(told).read(), 20), world.log()
    config = os.path.join(world.place, "pipelined.toml")
    text = open(config).read()
    open(config, "w").write(text.replace("900TB", "1MB"))
    world.pipectl("reload")
    assert wait_for(lambda: '"recovered"' in open(told).read(), 20), open(told).read()
    lines = [json.loads(line) for line in open(told)]
    assert [line["status"] for line in lines] == ["new", "recovered"], lines
    assert not world.ask("alerts", "--open")["alerts"]


def silence(world):
    """A source that delivers nothing for too long is an alert, until it delivers."""
    told = os.path.join(world.place, "told")
    world.write_config(world.place, f"""
[[sink]]
name = "log"
command = ["/bin/sh", "-c", "cat >> {told}"]
[[alert]]
to = ["log"]
when = ["source_silent"]
silent_for = "6s"
""")
    world.start()
    folder = world.pipeline(faults.COPY)
    os.mkdir(os.path.join(folder, "in"))
    world.pipectl("apply", folder)
    assert wait_for(lambda: os.path.exists(told) and "delivered nothing" in open(told).read(), 25), world.log()
    assert [a["subject"] for a in world.ask("alerts", "--open")["alerts"]] == ["source in"]
    world.land("1.txt", "x\n")
    assert wait_for(lambda: '"recovered"' in open(told).read(), 15), open(told).read()


def command(world):
    """A command gets the message on its input, four names in its environment, and no shell."""
    world.write_config(world.place, """
[[sink]]
name = "program"
command = ["/bin/sh", "-c", "env > %s/env; cat > %s/input"]
[[sink]]
name = "hangs"
command = ["/bin/sh", "-c", "sleep 4713 & sleep 4714"]
timeout = "1s"
[[sink]]
name = "fails"
command = ["/bin/false"]
""" % (world.place, world.place))
    world.start()
    world.pipectl("alerts", "test", "program")
    names = {line.split("=")[0] for line in open(os.path.join(world.place, "env"))}
    ours = {"PATH", "LANG", "PIPELINED_ALERT_ID", "PIPELINED_ALERT_SINK", "PIPELINED_ALERT_SUMMARY"}
    assert ours <= names <= ours | {"PWD", "OLDPWD", "SHLVL", "_"}, names
    assert json.load(open(os.path.join(world.place, "input")))["subject"] == "test"
    assert "did not end in time" in world.pipectl("alerts", "test", "hangs", expect=None).stderr
    left = subprocess.run(["pgrep", "-f", "sleep 471[34]"], capture_output=True, text=True).stdout
    assert not left, left
    assert "status 1" in world.pipectl("alerts", "test", "fails", expect=None).stderr


class Mailbox:
    """What the mail server took."""

    def __init__(self):
        self.mails, self.refuse = [], 0

    async def handle_DATA(self, server, session, envelope):
        if self.refuse > 0:
            self.refuse -= 1
            return "451 try again"
        self.mails.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 taken"


def mail(world):
    """Mail reaches a real server whole, with one Message-ID over all tries, and nothing injected."""
    try:
        from aiosmtpd.controller import Controller
    except ImportError:
        raise Skip("aiosmtpd is not installed (tools/bootstrap --tests)")
    import email
    import email.policy
    box = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        world.write_config(world.place, f"""
[[sink]]
name = "mail"
kind = "smtp"
url = "smtp://127.0.0.1:{port}"
from = "pipelined@example.org"
to = ["a@example.org", "b@example.org"]
[[alert]]
to = ["mail"]
when = ["failed"]
""")
        world.start()
        box.refuse = 2
        text = one_step(["sh", "-c", "printf 'x\\\\r\\\\nBcc: evil@example.org\\\\n.\\\\nQUIT\\\\n' >&2; exit 1; echo {out.x}"])
        world.pipectl("apply", world.pipeline(text))
        world.pipectl("run", "one", "--wait", "--timeout", "60s", expect=1)
        assert wait_for(lambda: box.mails, 20), world.log()
        sender, receivers, content = box.mails[0]
        assert sender == "pipelined@example.org" and receivers == ["a@example.org", "b@example.org"], receivers
        message = email.message_from_bytes(content, policy=email.policy.default)
        assert message["Subject"].startswith("error: one: a of run 1 failed"), message["Subject"]
        assert message["Bcc"] is None and not message.defects, message.defects
        body = message.get_content()
        assert json.loads(body.split("\n\n", 1)[1])["kind"] == "failed", body
        assert box.refuse == 0 and re.fullmatch(r"<[0-9a-f]{64}@example\.org>", message["Message-ID"])
    finally:
        controller.stop()


def tls(world):
    """The port speaks TLS with a certificate; beyond loopback it opens with TLS and a token alone."""
    certificate, key = os.path.join(world.place, "cert.pem"), os.path.join(world.place, "key.pem")
    made = subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
                           "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key,
                           "-out", certificate], capture_output=True)
    if made.returncode != 0:
        raise Skip("no openssl program here")
    more = f'tls_certificate = "{certificate}"\ntls_key = "{key}"\n'
    world.write_config(world.place, 'listen = "0.0.0.0:0"\n' + more)
    world.launch()
    assert world.daemon.wait(30) != 0 and "without TLS and a token" in world.log(), world.log()
    world.write_config(world.place, 'listen = "127.0.0.1:0"\n' + more)
    world.start()
    context = ssl.create_default_context(cafile=certificate)
    viewer = token(world, "v", "viewer")
    assert call(world, "GET", "/api/v1/status", tls=context)[0] == 401
    status, text = call(world, "GET", "/api/v1/status", viewer, tls=context)
    assert status == 200 and json.loads(text)["ready"], text
    with open(os.path.join(world.place, "token"), "w") as file:
        file.write(viewer + "\n")
    url = ["--url", f"https://localhost:{port_of(world)}", "--token-file", os.path.join(world.place, "token")]
    environment = dict(os.environ, PIPELINED_CA=certificate)
    asked = [f"{world.bin}/pipectl", *url, "status"]
    assert subprocess.run(asked, env=environment, capture_output=True).returncode == 0
    untrusting = subprocess.run(asked, capture_output=True, text=True)
    assert untrusting.returncode == 5 and "no trusted TLS" in untrusting.stderr, untrusting
    try:
        call(world, "GET", "/api/v1/status", viewer)
        raise AssertionError("plain HTTP was answered")
    except (http.client.HTTPException, OSError):
        pass
    world.stop()
    world.write_config(world.place, 'listen = "0.0.0.0:0"\n' + more)
    world.start()
    world.stop()
    world.write_config(world.place, 'listen = "0.0.0.0:0"\n')
    world.launch()
    assert world.daemon.wait(30) != 0


faults.SCENARIOS = [tokens, audit_log, secrets, secret_is_used, drain, drain_ends, reload, plugin_reload,
                    rolling_hosts, webhook, conditions, silence, command, mail, tls]

if __name__ == "__main__":
    faults.main()
