//! P6: the same wish again before anybody knows how the first one ended.

use std::sync::Arc;

use kiff::{MemoryStore, Outcome, Proposal, Runtime, Settlement};
use pollster::block_on;

use crate::shop::{Desk, MarkPaid, Mood, OrderPlaced, Refund, order, people, policy};

fn pay() -> Proposal<MarkPaid> {
    Proposal::new(MarkPaid { payment_id: "pay-1".into() }).idempotency_key("wish-1".parse().unwrap())
}

#[test]
fn p6_what_is_in_doubt_is_told_as_often_as_it_is_asked_for_and_leaves_no_record() {
    block_on(async {
        let (store, people, order) = (Arc::new(MemoryStore::new()), people(), order("ord-1"));
        let [here, there] = [(); 2].map(|()| Runtime::<Refund, _>::new(Arc::clone(&store), policy(), Desk::default()));
        let placed = OrderPlaced { total: kiff::Cents(5) };
        assert!(here.ingest(&people.shop, &order, placed).await.unwrap().is_allowed());
        here.services().be(Mood::Silent);
        let Outcome::Failed(doubt) = here.execute(&people.agent, &order, pay()).await.unwrap() else {
            panic!("the bank is silent")
        };
        let number = here.entity(&order).await.unwrap().number();
        for runtime in [&here, &there] {
            let again = runtime.execute(&people.agent, &order, pay()).await.unwrap();
            let refusal = again.refusal().unwrap();
            assert!(refusal.message.contains(doubt.execution.as_str()), "{refusal}");
            assert!(refusal.remedy.as_deref().unwrap().contains("settle it"), "{refusal:?}");
        }
        assert_eq!(here.entity(&order).await.unwrap().number(), number);
        // What one remembers as in doubt is over when another has had it settled.
        let no = Settlement::did_not_happen("it is not on the statement");
        assert!(there.settle(&people.nora, &order, &doubt.execution, no).await.unwrap().is_allowed());
        let again = here.execute(&people.agent, &order, pay()).await.unwrap();
        assert!(matches!(&again, Outcome::Failed(failed) if failed.deduplicated), "{again:?}");
    });
}
