//! Many connections of one jar.

use super::{Server, is_ready, python};

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Each is answered, however long it waits for its turn, and none leaves a descriptor with the supervisor.
#[test]
fn ten_thousand_connections_of_one_jar_are_served() {
    if !is_ready() {
        return;
    }
    let server = Server::start("served");
    let (grant, port) = (format!("a.example:{}", server.port), server.port);
    let script = format!(
        "import threading
socket.setdefaulttimeout(60)
address = socket.getaddrinfo('a.example', {port}, socket.AF_INET, socket.SOCK_STREAM)[0][4]
served = []
def work():
    for _ in range(1250):
        with socket.create_connection(address, 60) as s:
            s.sendall(b'hello')
            served.append(s.recv(100))
threads = [threading.Thread(target=work) for _ in range(8)]
[t.start() for t in threads]; [t.join() for t in threads]
print(len(served), set(served))"
    );
    let before = descriptors();
    let done = python(&[("-n", grant.as_str()), ("--host", "a.example=127.0.0.1")], &script);
    assert_eq!(done.out, "10000 {b'served'}\n", "{done:?}");
    assert_eq!(server.visits(), 10_000);
    // The test's own server may still hold a few.
    assert!(descriptors() < before + 50, "{before} descriptors, then {}", descriptors());
}
