//! The policy of docs/build-a-domain.md that asks a directory: it must compile as it stands there, and says what it should.

use std::collections::{HashMap, HashSet};

use kiff::{Actor, ActorKind, Domain, Permission, Policy, Question, Role};
use page::{Directory, Roles};

use crate::shop::Refund;

#[expect(unreachable_pub, reason = "the code of the page is for a crate of its own")]
mod page {
    // from the page
    use std::collections::{HashMap, HashSet};
    use std::sync::{Arc, PoisonError, RwLock};
    use std::time::{Duration, Instant};

    use kiff::{Policy, PolicyError, Question};

    /// Roles by the id of an actor and the name of a domain: roles of two domains are two roles, whatever they are called.
    pub type Roles = HashMap<String, HashMap<String, HashSet<String>>>;

    /// Who holds which role, by what the directory said last.
    #[derive(Clone)]
    pub struct Directory(Arc<RwLock<Known>>);

    struct Known {
        roles: Roles,
        at: Instant,
    }

    impl Directory {
        pub fn new(roles: Roles) -> Self {
            Self(Arc::new(RwLock::new(Known { roles, at: Instant::now() })))
        }

        /// A task of yours asks the directory every minute, and hands over what it said.
        pub fn refresh(&self, roles: Roles) {
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Known { roles, at: Instant::now() };
        }
    }

    impl Policy for Directory {
        fn holds(&self, question: &Question<'_>) -> Result<bool, PolicyError> {
            let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
            if known.at.elapsed() > Duration::from_mins(5) {
                return Err(PolicyError::new("the directory has not answered for five minutes"));
            }
            let held = known.roles.get(question.actor.id().as_str());
            let held = held.and_then(|domains| domains.get(&*question.role.domain));
            Ok(held.is_some_and(|roles| roles.contains(&*question.role.name)))
        }
    }
    // to here
}

#[test]
fn the_page_shows_this_policy() {
    let own = include_str!("directory.rs");
    let (_, code) = own.split_once("    // from the page\n").unwrap();
    let (code, _) = code.split_once("    // to here\n").unwrap();
    let code: String = code.lines().flat_map(|line| [line.strip_prefix("    ").unwrap_or(line), "\n"]).collect();
    let page = include_str!("../../../docs/build-a-domain.md");
    assert!(page.contains(&format!("```rust\n{code}```\n")), "the page does not show:\n{code}");
}

#[test]
fn a_role_of_one_domain_is_none_of_another_that_is_called_alike() {
    let said = |domain: &str| -> Roles {
        let roles = HashMap::from([(domain.to_owned(), HashSet::from(["agent".to_owned()]))]);
        HashMap::from([("agent-7".to_owned(), roles)])
    };
    let directory = Directory::new(said("refund"));
    let (agent, order) = (Actor::agent("agent-7").unwrap(), Refund::entity("ord-1").unwrap());
    let holds = |domain: &'static str| {
        let role = Role { domain: domain.into(), name: "agent".into(), kind: ActorKind::Agent };
        let permission = Permission { name: format!("{domain}.mark_paid").into(), roles: vec![role.clone()].into() };
        let question = Question { actor: &agent, role: &role, permission: &permission, entity: &order };
        directory.holds(&question).unwrap()
    };
    assert_eq!((holds("refund"), holds("mission")), (true, false));
    directory.refresh(said("mission"));
    assert_eq!((holds("refund"), holds("mission")), (false, true));
}
