//! Parameters of less common types: that they are read, and held to their rules.

use std::collections::BTreeMap;

use kiff::{Actor, ActorId, Call, Cents, Domain, Failure, MemoryStore, RolePolicy, Runtime, action, domain};
use pollster::block_on;

domain! {
    /// Letters and what they cost.
    pub domain Mail governs Letter;
    roles { Clerk: agent, Depot: system }
    states { Written, final Sent }
    events {
        LetterWritten reported by Depot;
        LetterSent { receipt: String };
    }
    transitions {
        LetterWritten: new     => Written;
        LetterSent:    Written => Sent;
    }
    actions { SendLetter { risk: low, by: Clerk, emits: LetterSent }; }
    allow { Written => [SendLetter]; }
}

/// Sends a letter.
#[action(Mail::SendLetter)]
async fn send_letter(
    #[param(float("rates of exchange, no amounts"))] rates: BTreeMap<String, f64>,
    #[param(float("grams, beside what they cost"))] weights: Vec<(Cents, f64)>,
) -> Result<LetterSent, Failure> {
    Ok(LetterSent { receipt: format!("{rates:?} {weights:?}") })
}

/// What is said of a letter with these parameters; none where it is sent.
fn refused(parameters: &str) -> Option<String> {
    block_on(async {
        let (clerk, depot) = (Actor::agent("clerk").unwrap(), Actor::system("depot").unwrap());
        let policy = RolePolicy::new()
            .assign(ActorId::new("clerk").unwrap(), MailRole::Clerk)
            .assign(ActorId::new("depot").unwrap(), MailRole::Depot);
        let runtime = Runtime::<Mail, _>::new(MemoryStore::new(), policy, ());
        let letter = Mail::entity("l-1").unwrap();
        assert!(runtime.ingest(&depot, &letter, LetterWritten).await.unwrap().is_allowed());
        let outcome = runtime.execute(&clerk, &letter, Call::new("SEND_LETTER", parameters)).await.unwrap();
        let told = outcome.refusal().map(|refusal| refusal.message.clone());
        assert_eq!(told.is_none(), outcome.outcome() == "executed", "{outcome:?}");
        told
    })
}

#[test]
fn a_float_is_waived_whatever_stands_beside_it() {
    assert_eq!(refused(r#"{"rates": {"CHF": 0.93}, "weights": [[85, 20.5]]}"#), None);
    let told = refused(r#"{"rates": {"CHF": "0.93"}, "weights": []}"#).unwrap();
    assert!(told.contains("`rates` is invalid"), "{told}");
}
