//! Domains where they are seldom put: several in one file, in nested modules, inside a fn, in fns of one name.

#![deny(warnings)]

pub mod shop;

use kiff::{Domain, Executable, Failure, action, domain};

domain! {
    pub domain Support governs Case;
    roles { Agent: agent, Shop: system }
    states { Open, final Closed }
    events { CaseOpened { by: String } reported by Shop; CaseClosed; }
    transitions { CaseOpened: new => Open; CaseClosed: Open => Closed; }
    actions { CloseCase { risk: low, by: Agent, emits: CaseClosed }; }
    allow { Open => [CloseCase]; }
}
#[action(Support::CloseCase)]
async fn close_case() -> Result<CaseClosed, Failure> {
    Ok(CaseClosed)
}

domain! {
    pub domain Rental governs Car;
    roles { Agent: agent, Shop: system }
    states { Open, final Closed }
    events { CarOpened { by: String } reported by Shop; CarClosed; }
    transitions { CarOpened: new => Open; CarClosed: Open => Closed; }
    actions { CloseCar { risk: low, by: Agent, emits: CarClosed }; }
    allow { Open => [CloseCar]; }
}
#[action(Rental::CloseCar)]
async fn close_car() -> Result<CarClosed, Failure> {
    Ok(CarClosed)
}

/// As many domains as somebody needs, as deep as somebody needs them.
pub mod outer {
    pub mod inner {
        use kiff::{Failure, action, domain};

        domain! {
            pub domain Loan governs Book;
            roles { Agent: agent, Shop: system }
            states { Open, final Closed }
            events { BookOpened { by: String } reported by Shop; BookClosed; }
            transitions { BookOpened: new => Open; BookClosed: Open => Closed; }
            actions { CloseBook { risk: low, by: Agent, emits: BookClosed }; }
            allow { Open => [CloseBook]; }
        }

        #[action(Loan::CloseBook)]
        async fn close_book() -> Result<BookClosed, Failure> {
            Ok(BookClosed)
        }
    }

    /// The executor of an action can stand far from the block.
    pub mod executors {
        use kiff::{Failure, action};

        use super::declared::BoatClosed;

        #[action(super::declared::Berth::CloseBoat)]
        async fn close() -> Result<BoatClosed, Failure> {
            Ok(BoatClosed)
        }

        pub fn propose() -> CloseBoat {
            CloseBoat
        }
    }

    pub mod declared {
        use kiff::domain;

        domain! {
            pub domain Berth governs Boat;
            roles { Agent: agent, Shop: system }
            states { Open, final Closed }
            events { BoatOpened { by: String } reported by Shop; BoatClosed; }
            transitions { BoatOpened: new => Open; BoatClosed: Open => Closed; }
            actions { CloseBoat { risk: low, by: Agent, emits: BoatClosed }; }
            allow { Open => [CloseBoat]; }
        }
    }
}

/// The wire name of a domain that nobody else can see.
pub fn in_a_fn() -> &'static str {
    domain! {
        domain Local governs Room;
        roles { Agent: agent, Shop: system }
        states { Open, final Closed }
        events { RoomOpened { by: String } reported by Shop; RoomClosed; }
        transitions { RoomOpened: new => Open; RoomClosed: Open => Closed; }
        actions { CloseRoom { risk: low, by: Agent, emits: RoomClosed }; }
        allow { Open => [CloseRoom]; }
    }

    #[action(Local::CloseRoom)]
    async fn close_room() -> Result<RoomClosed, Failure> {
        Ok(RoomClosed)
    }

    let _ = (CloseRoom, RoomOpened { by: String::new() });
    name::<Local>()
}

/// The same once more, in a module inside of a fn.
pub fn in_a_module_of_a_fn() -> &'static str {
    mod hidden {
        use kiff::{Failure, action, domain};

        domain! {
            pub(super) domain Local governs Room;
            roles { Agent: agent, Shop: system }
            states { Open, final Closed }
            events { RoomOpened { by: String } reported by Shop; RoomClosed; }
            transitions { RoomOpened: new => Open; RoomClosed: Open => Closed; }
            actions { CloseRoom { risk: low, by: Agent, emits: RoomClosed }; }
            allow { Open => [CloseRoom]; }
        }

        #[action(Local::CloseRoom)]
        pub(super) async fn close_room() -> Result<RoomClosed, Failure> {
            Ok(RoomClosed)
        }

        pub(super) fn propose() -> CloseRoom {
            CloseRoom
        }
    }
    let _ = (hidden::propose(), hidden::RoomOpened { by: String::new() });
    name::<hidden::Local>()
}

/// The wire names of all the others.
pub fn names() -> [&'static str; 4] {
    [name::<Support>(), name::<Rental>(), name::<outer::inner::Loan>(), name::<outer::declared::Berth>()]
}

fn name<D: Domain + Executable>() -> &'static str {
    &D::schema().domain
}
