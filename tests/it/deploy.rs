//! P3: what a domain becomes between a sign-off and its use.

use std::sync::Arc;

use kiff::{Actor, Domain, MemoryStore, Outcome, Review, RolePolicy, Runtime, Verdict};
use pollster::block_on;

mod before {
    use kiff::{Failure, action, domain};

    domain! {
        pub domain Refund governs Order;
        roles { Agent: agent, Operator: human, Shop: system }
        states { Paid, final Refunded, final Lost }
        events { OrderPaid reported by Shop; OrderLost reported by Shop; OrderRefunded; NoteAdded; }
        transitions {
            OrderPaid:     new  => Paid;
            OrderLost:     Paid => Lost;
            OrderRefunded: Paid => Refunded;
            NoteAdded:     Paid => Paid;
        }
        actions {
            RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
            AddNote { risk: low, by: Agent, emits: NoteAdded, approval: Operator };
        }
        allow { Paid => [RefundOrder, AddNote]; }
    }

    #[action(Refund::RefundOrder)]
    async fn refund_order() -> Result<OrderRefunded, Failure> {
        Ok(OrderRefunded {})
    }

    #[action(Refund::AddNote)]
    async fn add_note() -> Result<NoteAdded, Failure> {
        Ok(NoteAdded {})
    }
}

/// The same, but for where two events lead.
mod after {
    use kiff::{Failure, action, domain};

    domain! {
        pub domain Refund governs Order;
        roles { Agent: agent, Operator: human, Shop: system }
        states { Paid, final Refunded, final Lost }
        events { OrderPaid reported by Shop; OrderLost reported by Shop; OrderRefunded; NoteAdded; }
        transitions {
            OrderPaid:     new  => Paid;
            OrderLost:     Paid => Refunded;
            OrderRefunded: Paid => Lost;
            NoteAdded:     Paid => Paid;
        }
        actions {
            RefundOrder { risk: high, by: Agent, emits: OrderRefunded, approval: Operator };
            AddNote { risk: low, by: Agent, emits: NoteAdded, approval: Operator };
        }
        allow { Paid => [RefundOrder, AddNote]; }
    }

    #[action(Refund::RefundOrder)]
    async fn refund_order() -> Result<OrderRefunded, Failure> {
        Ok(OrderRefunded {})
    }

    #[action(Refund::AddNote)]
    async fn add_note() -> Result<NoteAdded, Failure> {
        Ok(NoteAdded {})
    }
}

#[test]
fn p3_an_approval_holds_only_as_long_as_its_event_leads_where_it_led() {
    let (agent, nora, shop) =
        (Actor::agent("agent-7").unwrap(), Actor::human("nora").unwrap(), Actor::system("shop").unwrap());
    let roles = || RolePolicy::new();
    let store = Arc::new(MemoryStore::new());
    let key = before::Refund::entity("ord-1").unwrap();
    block_on(async {
        use before::{AddNote, OrderPaid, Refund, RefundOrder, RefundRole};
        let policy = roles()
            .assign(agent.id().clone(), RefundRole::Agent)
            .assign(nora.id().clone(), RefundRole::Operator)
            .assign(shop.id().clone(), RefundRole::Shop);
        let runtime = Runtime::<Refund, _>::new(Arc::clone(&store), policy, ());
        assert!(runtime.ingest(&shop, &key, OrderPaid {}).await.unwrap().is_allowed());
        for asked in [
            runtime.request_approval(&agent, &key, RefundOrder {}).await.unwrap(),
            runtime.request_approval(&agent, &key, AddNote {}).await.unwrap(),
        ] {
            let Verdict::Allowed(asked) = asked else { panic!("{asked:?}") };
            assert!(runtime.review(&nora, &key, &asked.id, Review::grant()).await.unwrap().is_allowed());
        }
    });
    block_on(async {
        use after::{AddNote, Refund, RefundOrder, RefundRole};
        let runtime = Runtime::<Refund, _>::new(store, roles().assign(agent.id().clone(), RefundRole::Agent), ());
        let held = runtime.execute(&agent, &key, RefundOrder {}).await.unwrap();
        let told = &held.refusal().unwrap().message;
        assert!(told.contains("the contract of `REFUND_ORDER` has changed"), "{told}");
        let noted = runtime.execute(&agent, &key, AddNote {}).await.unwrap();
        assert!(matches!(noted, Outcome::Executed(_)), "{noted:?}");
    });
}
