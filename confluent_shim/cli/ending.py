import signal
import socket
import threading


def told_to_end(signals: tuple[signal.Signals, ...]) -> threading.Event:
    """Return what is set when this process gets one of `signals`, whoever handles them then or later.

    Must be called in the main thread, and once. Python writes the number of each signal that has a handler into a
    socket; a server's own handler is not disturbed by that.
    """
    ours, pythons = socket.socketpair()
    pythons.setblocking(False)
    signal.set_wakeup_fd(pythons.fileno(), warn_on_full_buffer=False)
    ending = threading.Event()

    def listen(_: socket.socket) -> None:
        while (number := ours.recv(1)) and number[0] not in signals:
            pass
        ending.set()

    # The thread keeps the other socket too.
    threading.Thread(target=listen, args=(pythons,), name="told-to-end", daemon=True).start()
    return ending
