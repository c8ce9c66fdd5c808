"""What `hyeopjin doctor` asks of the media workers: do they run; if not, are their ports free?"""

from __future__ import annotations

import socket
from typing import Literal

from server.config import Settings
from server.cores import cores
from server.runtime.operator_socket import OperatorError, ask

State = Literal["green", "yellow", "grey", "red"]


def check(settings: Settings) -> tuple[State, str, str]:
    """(state, code, detail). With a server running, what it says; else whether one could start."""
    try:
        told = ask(settings.run_dir, {"op": "workers"})["workers"]
    except OperatorError:
        return _before(settings)
    ports = ", ".join(str(one["port"]) for one in told if one["port"])
    away = [one["name"] for one in told if one["state"] == "away"]
    load = max((one["load"] for one in told), default=0.0)
    detail = f"{len(told) - len(away)} of {len(told)} serve, ports {ports} (UDP and TCP), load {load:.0%}"
    if len(away) == len(told):
        return "red", "none_serves", detail
    if away:
        return "yellow", "away", f"{detail}; worker {', '.join(away)} is being started again"
    if any(one["state"] == "draining" for one in told):
        return "yellow", "draining", detail
    if load >= 1:
        return "yellow", "full", f"{detail}; nobody new is let in until there is room"
    return "green", "ok", detail


def _before(settings: Settings) -> tuple[State, str, str]:
    ports = settings.media_ports
    ours = cores()
    if settings.media_udp_port == 0:
        return "grey", "not_running", f"{len(ports)} would be started, on any free ports"
    taken = [port for port in ports if not _free(settings.media_udp_host, port)]
    detail = f"{len(ports)} on ports {ports[0]}–{ports[-1]} (UDP and TCP)"
    if taken:
        return "red", "port_taken", f"{detail}; another program has {', '.join(map(str, taken))}"
    if len(ports) > ours:
        return "yellow", "more_than_cores", f"{detail}, but {ours} cores: they take each other's time"
    return "grey", "not_running", detail


def _free(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True
