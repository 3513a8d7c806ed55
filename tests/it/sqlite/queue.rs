//! The queue before the writer, under a scheduler that tries thousands of orders in which threads can run.

use shuttle::sync::atomic::{AtomicUsize, Ordering};
use shuttle::{future, thread};

/// What the queue is made of here: a model checker's locks.
mod sync {
    pub(super) use std::sync::PoisonError;

    pub(super) use shuttle::sync::{Arc, Condvar, Mutex, MutexGuard};
}

#[path = "../../../kiff/src/store/sqlite/queue.rs"]
mod real;

use real::Queue;
use sync::Arc;

/// How many orders are tried.
const ORDERS: usize = 3000;

#[test]
fn everyone_who_hands_a_job_in_hears_what_became_of_it() {
    shuttle::check_random(
        || {
            let queue = Arc::new(Queue::<usize, usize>::new());
            let done = Arc::new(AtomicUsize::new(0));
            let writer = {
                let (queue, done) = (Arc::clone(&queue), Arc::clone(&done));
                thread::spawn(move || {
                    let mut group = Vec::new();
                    while queue.take(&mut group) {
                        assert!(!group.is_empty());
                        for ticket in group.drain(..) {
                            done.fetch_add(1, Ordering::SeqCst);
                            ticket.reply.send(ticket.job * 2);
                        }
                    }
                })
            };
            let ask = |job: usize| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    for job in [job, job + 1] {
                        assert_eq!(future::block_on(queue.push(job).unwrap()), Some(job * 2));
                    }
                })
            };
            for thread in [ask(1), ask(10), ask(20)] {
                thread.join().unwrap();
            }
            queue.close();
            writer.join().unwrap();
            assert_eq!(done.load(Ordering::SeqCst), 6);
        },
        ORDERS,
    );
}

#[test]
fn a_job_that_was_handed_in_is_done_although_the_store_closes() {
    shuttle::check_random(
        || {
            let queue = Arc::new(Queue::<usize, usize>::new());
            let ask = |job: usize| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    if let Some(answer) = queue.push(job) {
                        assert_eq!(future::block_on(answer), Some(job));
                    }
                })
            };
            let asking = [ask(1), ask(2)];
            let writer = {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    let mut group = Vec::new();
                    while queue.take(&mut group) {
                        for ticket in group.drain(..) {
                            ticket.reply.send(ticket.job);
                        }
                    }
                })
            };
            queue.close();
            writer.join().unwrap();
            for thread in asking {
                thread.join().unwrap();
            }
        },
        ORDERS,
    );
}

#[test]
fn nobody_waits_for_a_writer_that_is_gone() {
    shuttle::check_random(
        || {
            let queue = Arc::new(Queue::<usize, usize>::new());
            let ask = |job: usize| {
                let queue = Arc::clone(&queue);
                thread::spawn(move || match queue.push(job) {
                    Some(answer) => future::block_on(answer),
                    None => None,
                })
            };
            let asking = [ask(1), ask(2)];
            let writer = {
                let queue = Arc::clone(&queue);
                thread::spawn(move || {
                    let mut group = Vec::new();
                    // It falls over with the first jobs in its hands.
                    if queue.take(&mut group) {
                        drop(group);
                    }
                    queue.abandon();
                })
            };
            for thread in asking {
                assert_eq!(thread.join().unwrap(), None);
            }
            writer.join().unwrap();
        },
        ORDERS,
    );
}
