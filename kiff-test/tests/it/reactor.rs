//! Executors that use tokio: its timers, its sockets and its tasks, wherever the test waits.

#![expect(clippy::unwrap_used, reason = "this file is a test")]

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use kiff::{Failure, action, domain};
use kiff_test::{block_on, given};
use tokio::net::TcpStream;

domain! {
    /// Doors that are opened from afar.
    domain Remote governs Door;
    services Address;

    roles { Guest: agent, Porter: system }

    states { Shut, final Open }

    events {
        DoorBuilt reported by Porter;
        DoorOpened;
    }

    transitions {
        DoorBuilt:  new  => Shut;
        DoorOpened: Shut => Open;
    }

    actions {
        OpenDoor { risk: low, by: Guest, emits: DoorOpened };
    }

    allow {
        Shut => [OpenDoor];
    }
}

/// Where the door listens.
#[derive(Debug)]
struct Address(SocketAddr);

/// Knocks, and waits a moment.
#[action(Remote::OpenDoor)]
async fn open_door(address: &Address) -> Result<DoorOpened, Failure> {
    let unknown = |error: std::io::Error| Failure::unknown(error.to_string());
    TcpStream::connect(address.0).await.map_err(unknown)?.writable().await.map_err(unknown)?;
    let moment = tokio::spawn(tokio::time::sleep(Duration::from_millis(1)));
    moment.await.map_err(|error| Failure::unknown(error.to_string()))?;
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(DoorOpened)
}

fn the_door_is_opened() {
    // The system takes the call, and nobody has to accept it.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    given::<Remote>(Address(listener.local_addr().unwrap()))
        .event(DoorBuilt)
        .when(RemoteRole::Guest, OpenDoor)
        .then()
        .executed(DoorOpened)
        .state(DoorState::Open)
        .replays();
}

#[test]
fn an_executor_that_uses_tokio_runs_in_a_plain_test() {
    the_door_is_opened();
}

#[test]
fn what_was_connected_with_block_on_is_driven_wherever_the_test_waits() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let stream = block_on(TcpStream::connect(address)).unwrap();
    let caller = std::thread::spawn(move || {
        let (mut accepted, _) = listener.accept().unwrap();
        std::io::Write::write_all(&mut accepted, b"!").unwrap();
    });
    block_on(stream.readable()).unwrap();
    caller.join().unwrap();
}

#[tokio::test]
async fn an_executor_that_uses_tokio_runs_inside_of_a_runtime_of_one_thread() {
    the_door_is_opened();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_executor_that_uses_tokio_runs_inside_of_a_runtime_of_several_threads() {
    the_door_is_opened();
}

#[tokio::test]
async fn a_future_takes_as_many_steps_as_it_needs_where_nobody_else_has_a_turn() {
    let steps = async {
        for _ in 0..1_000 {
            tokio::task::coop::consume_budget().await;
        }
        "done"
    };
    assert_eq!(block_on(steps), "done");
}
