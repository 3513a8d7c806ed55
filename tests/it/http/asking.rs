//! Asking the outside world about a run in doubt: it is asked to the end, whoever waits for it.

use std::sync::Arc;
use std::time::Duration;

use kiff::http::Limits;
use kiff::{Domain, EntityKey, Failure, MemoryStore, Reconciled, RolePolicy, Runtime, action, domain, reconcile};
use pollster::block_on;
use tokio::sync::Semaphore;

use super::page::Browser;
use super::server::Server;
use crate::shop::people;

domain! {
    /// Letters on their way.
    pub domain Mail governs Letter;
    services Counter;
    roles { Writer: human, Runner: agent }
    states { Written, final Sent }
    events {
        LetterWritten reported by Writer;
        LetterSent;
    }
    transitions {
        LetterWritten: new => Written;
        LetterSent: Written => Sent;
    }
    actions { SendLetter { risk: low, by: Runner, emits: LetterSent }; }
    allow { Written => [SendLetter]; }
}

/// A counter at which whoever asks has to wait until it is open.
#[derive(Debug)]
pub struct Counter {
    asked: Semaphore,
    open: Semaphore,
}

/// Sends the letter, and does not hear of it again.
#[action(Mail::SendLetter)]
async fn send_letter() -> Result<LetterSent, Failure> {
    Err(Failure::unknown("the line went dead"))
}

/// Asks at the counter whether it was sent.
#[reconcile(Mail::SendLetter)]
async fn find_letter(counter: &Counter) -> Result<Reconciled<LetterSent>, Failure> {
    counter.asked.add_permits(1);
    counter.open.acquire().await.map_err(|_| Failure::unknown("the counter is gone"))?.forget();
    Ok(Reconciled::Happened(LetterSent))
}

/// Mail in which nobody knows whether a letter was sent.
fn lost() -> (Arc<Runtime<Mail>>, EntityKey) {
    let policy = RolePolicy::new()
        .assign(people().nora.id().clone(), MailRole::Writer)
        .assign(people().agent.id().clone(), MailRole::Runner);
    let counter = Counter { asked: Semaphore::new(0), open: Semaphore::new(0) };
    let mail: Arc<Runtime<Mail>> = Arc::new(Runtime::new(MemoryStore::new(), policy, counter));
    let letter = Mail::entity("one").unwrap();
    assert!(block_on(mail.ingest(&people().nora, &letter, LetterWritten)).unwrap().is_allowed());
    assert!(block_on(mail.execute(&people().agent, &letter, SendLetter {})).unwrap().executed().is_none());
    (mail, letter)
}

#[test]
fn of_an_event_without_fields_nothing_has_to_be_said_but_its_name() {
    let (mail, letter) = lost();
    let served = Arc::clone(&mail);
    let face = Server::with(Limits::DEFAULT, |api| api.domain(served));
    let nora = face.client(&people().nora);
    let doubts = nora.get("/doubts?entity_type=Letter").expect(200);
    let settle = format!("/entities/one/executions/{}/settle", doubts["doubts"][0]["execution_id"].as_str().unwrap());
    let told =
        r#"{"entity_type": "Letter", "happened": true, "event": {"type": "LETTER_SENT"}, "reason": "it is here"}"#;
    assert_eq!(nora.post(&settle, told).expect(200)["settled"]["current_state"], "SENT");
    assert_eq!(block_on(mail.entity(&letter)).unwrap().state(), Some(LetterState::Sent));
}

#[test]
fn what_is_asked_on_the_page_is_asked_to_the_end_when_its_person_waits_no_longer() {
    let (mail, letter) = lost();
    let served = Arc::clone(&mail);
    let limits = Limits { request_time: Duration::from_secs(1), ..Limits::DEFAULT };
    let face = Server::with(limits, |api| api.domain(served));
    let nora = Browser::of(&face, &people().nora);
    let late = nora.send("/admin/doubt/Letter/one", "execution=it&became=ask");
    assert_eq!(late.status, 504, "{}", late.body);
    block_on(mail.services().asked.acquire()).unwrap().forget();
    mail.services().open.add_permits(1);
    // A server that stops waits for what has started.
    face.stopped();
    assert_eq!(block_on(mail.entity(&letter)).unwrap().state(), Some(LetterState::Sent));
}
