"""A private Slurm of two nodes on this machine, as root: `python -m tests.slurm.cluster DIR [--accounting]`, until Ctrl-C.

Debian: apt-get install --no-install-recommends slurmctld slurmd slurm-client munge; for accounting slurmdbd mariadb-server
too. Ports, sockets, keys and files are its own, in DIR, so that it disturbs no other Slurm; clients find it by SLURM_CONF. All
daemons run in the foreground of this process and end with it. https://slurm.schedmd.com/slurm.conf.html
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from wisesr.cell.lifeline import end_with_parent

DAEMONS = ("munged", "slurmctld", "slurmd")
ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db")
NODES = ("one", "two")
_SECONDS = 30.0
"""That a daemon has to answer."""

_SLURM_CONF = """\
ClusterName=tests
SlurmctldHost=localhost
SlurmctldPort={control}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
# A job that is queued again waits until its credential is over: two minutes, where nothing is said.
AuthInfo=socket={folder}/munge.socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool/%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.%n.pid
MailProg=/bin/true
MpiDefault=none
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
# Nodes of this machine may have more cores than it has.
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_min_interval=0,sched_interval=2,bf_interval=2
JobAcctGatherType=jobacct_gather/none
# Jobs are queued again only where they ask for it.
JobRequeue=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
KillWait=5
SlurmdTimeout=10
GresTypes=gpu
NodeName={nodes} NodeHostname=localhost NodeAddr=127.0.0.1 Port={node_ports} CPUs=4 RealMemory=8000
NodeName=gpu NodeHostname=localhost NodeAddr=127.0.0.1 Port={gpu_port} CPUs=4 RealMemory=8000 Gres=gpu:1
PartitionName=all Nodes={nodes} Default=YES MaxTime=60 State=UP
PartitionName=urgent Nodes={nodes} PriorityTier=10 State=UP
PartitionName=gpus Nodes=gpu State=UP
"""

_GRES_CONF = "NodeName=gpu Name=gpu File=/dev/zero\n"
"""A file that is no GPU: Slurm hands it out, torch sees nothing."""

_ACCOUNTED = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=localhost
AccountingStoragePort={database}
AccountingStoragePass={folder}/munge.socket
"""

_SLURMDBD_CONF = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdPort={database}
SlurmUser=root
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={mariadb}
StorageUser=root
StorageLoc=slurm
"""


class SlurmError(Exception):
    """A daemon does not run."""


def missing(*, accounting: bool = False) -> list[str]:
    """What a cluster needs and this machine, or this user, has not."""
    wanted = [*DAEMONS, "sbatch", *(ACCOUNTING if accounting else ())]
    return [*(["root"] if os.geteuid() else []), *(name for name in wanted if _which(name) is None)]


def _which(name: str) -> str | None:
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


class SlurmCluster:
    """The daemons of a cluster in a folder.

    Args:
        folder: an absolute path without spaces, new or empty.
        accounting: with slurmdbd and a database.
    """

    def __init__(self, folder: Path, *, accounting: bool = False) -> None:
        self.folder, self.accounting = folder, accounting
        self.environment = {**os.environ, "SLURM_CONF": str(folder / "slurm.conf")}
        self._processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self) -> None:
        """Until all nodes are idle.

        Raises:
            SlurmError: a daemon does not run; nothing is left behind.
        """
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def _start(self) -> None:
        for name in ("state", *(f"spool/{node}" for node in (*NODES, "gpu"))):
            (self.folder / name).mkdir(parents=True)
        control, gpu, database, mariadb, *nodes = map(str, free_ports(4 + len(NODES)))
        places = {"folder": self.folder, "control": control, "database": database, "mariadb": mariadb, "gpu_port": gpu}
        text = _SLURM_CONF + (_ACCOUNTED if self.accounting else "AccountingStorageType=accounting_storage/none\n")
        (self.folder / "slurm.conf").write_text(text.format(**places, nodes=",".join(NODES), node_ports=",".join(nodes)))
        (self.folder / "gres.conf").write_text(_GRES_CONF)
        (self.folder / "munge.key").write_bytes(os.urandom(1024))
        (self.folder / "munge.key").chmod(0o400)
        files = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munged.pid", "seed-file": "munge.seed"}
        self._run("munged", "--foreground", "--force", *(f"--{name}={self.folder / file}" for name, file in files.items()))
        self._wait("munged", lambda: (self.folder / "munge.socket").exists())
        if self.accounting:
            self._start_accounting(places)
        self._run("slurmctld", "-D", "-c")
        self._wait("slurmctld", lambda: self.ask("scontrol", "ping").startswith("Slurmctld(primary) at") and self._is_up())
        for node in (*NODES, "gpu"):
            self.start_node(node)
        self._wait("slurmd", lambda: self.ask("sinfo", "--noheader", "--Node", "--format=%T").split().count("idle") >= 5)

    def _start_accounting(self, places: dict[str, object]) -> None:
        data = f"--datadir={self.folder / 'database'}"
        common = ("--no-defaults", data, "--user=root")
        log = self.folder / "mariadb-install-db.log"
        with log.open("wb") as file:
            installed = subprocess.run(
                [str(_which("mariadb-install-db")), *common, "--auth-root-authentication-method=normal", "--skip-test-db"],
                stdout=file,
                stderr=file,
            )
        if installed.returncode:
            raise SlurmError(log.read_text())
        here = (f"--port={places['mariadb']}", "--bind-address=127.0.0.1", f"--socket={self.folder / 'mariadb.socket'}")
        self._run("mariadbd", *common, *here, "--skip-grant-tables", f"--pid-file={self.folder / 'mariadb.pid'}")
        self._wait("mariadbd", lambda: is_open(int(str(places["mariadb"]))))
        file = self.folder / "slurmdbd.conf"
        file.write_text(_SLURMDBD_CONF.format(**places))
        file.chmod(0o600)
        self._run("slurmdbd", "-D")
        self._wait("slurmdbd", lambda: is_open(int(str(places["database"]))))
        self.ask("sacctmgr", "--immediate", "add", "cluster", "tests")

    def _is_up(self) -> bool:
        return " is UP" in self.ask("scontrol", "ping")

    def start_node(self, name: str) -> None:
        """Start the slurmd of a node."""
        self._run("slurmd", "-D", "-N", name, key=f"slurmd-{name}")

    def stop_node(self, name: str) -> None:
        """As if its machine had lost its power: neither slurmd nor what it has started is left."""
        jobs = self.ask("squeue", "--noheader", f"--nodelist={name}", "--format=%i").split()
        daemon = self._processes.pop(f"slurmd-{name}")
        daemon.kill()
        daemon.wait()
        left = self._left(jobs)
        for number in (signal.SIGSTOP, signal.SIGKILL):  # none lives to report the death of another
            for pid in left:
                with suppress(ProcessLookupError):
                    os.kill(pid, number)

    def stop(self) -> None:
        """End jobs and daemons."""
        with suppress(OSError, subprocess.SubprocessError):
            if "slurmctld" in self._processes:
                self.ask("scancel", "--partition=all,urgent,gpus")
                self._wait("end of jobs", lambda: not self.ask("squeue", "--noheader"))
        for process in reversed(self._processes.values()):
            process.terminate()
        for process in self._processes.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
            process.wait()
        self._processes.clear()
        for pid in self._left():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _left(self, jobs: Sequence[str] = ()) -> list[int]:
        """What Slurm has started for these jobs, or for any: their processes, and the daemons that look after them."""
        here = f"SLURM_CONF={self.folder / 'slurm.conf'}".encode()
        found = []
        for entry in Path("/proc").iterdir():
            with suppress(OSError):
                variables = (entry / "environ").read_bytes().split(b"\0") if entry.name.isdigit() else []
                own = re.match(r"slurmstepd: \[(\d+)\.", (entry / "cmdline").read_text()) if here in variables else None
                named = [
                    text.removeprefix(b"SLURM_JOB_ID=").decode() for text in variables if text.startswith(b"SLURM_JOB_ID=")
                ]
                numbers = [own.group(1)] if own else named
                if here in variables and numbers and (not jobs or numbers[0] in jobs):
                    found.append(int(entry.name))
        return found

    def ask(self, *command: str) -> str:
        """What a command of Slurm's client prints; its errors too."""
        done = subprocess.run(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=30
        )
        return done.stdout.strip()

    def _run(self, name: str, *arguments: str, key: str = "") -> None:
        with (self.folder / f"{key or name}.log").open("ab") as log:
            self._processes[key or name] = subprocess.Popen(
                [str(_which(name)), *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=end_with_parent,
            )

    def _wait(self, what: str, check: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _SECONDS
        while not check():
            dead = [name for name, process in self._processes.items() if process.poll() is not None]
            if dead or time.monotonic() > deadline:
                logs = "\n".join((self.folder / f"{name}.log").read_text(errors="replace")[-2000:] for name in dead)
                raise SlurmError(f"waited for {what}; ended: {', '.join(dead) or 'none'}\n{logs}")
            time.sleep(0.1)


def free_ports(count: int) -> list[int]:
    """Ports that nobody listens on now."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


def is_open(port: int) -> bool:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def main(arguments: Sequence[str] | None = None) -> None:
    """Start a cluster, tell how to use it, and end it on Ctrl-C."""
    parser = argparse.ArgumentParser(description="A private Slurm of two nodes on this machine, until Ctrl-C.")
    parser.add_argument("folder", type=Path, help="for its files: new or empty")
    parser.add_argument("--accounting", action="store_true", help="with slurmdbd and MariaDB, so that sacct works")
    given = parser.parse_args(arguments)
    if lacks := missing(accounting=given.accounting):
        parser.exit(1, f"A Slurm cluster needs what is not here: {', '.join(lacks)}\n")
    cluster = SlurmCluster(given.folder.absolute(), accounting=given.accounting)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        cluster.start()
        print(
            f"export SLURM_CONF={cluster.environment['SLURM_CONF']}  # in the shell that uses it; Ctrl-C here ends it",
            flush=True,
        )
        signal.pause()
    except KeyboardInterrupt:
        pass
    except SlurmError as error:
        parser.exit(1, f"{error}\n")
    finally:
        cluster.stop()


if __name__ == "__main__":
    main()
