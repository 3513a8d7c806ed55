//! Names that are taken elsewhere: what the macros write must not depend on what a name means where they are used.

#![no_implicit_prelude]
#![deny(warnings)]

/// States, events, actions and roles that are called as the types and the traits of the standard library are.
pub mod library {
    use ::kiff::{Failure, action, domain};

    domain! {
        /// What everybody has in scope, except here.
        pub domain Box governs Iterator;
        roles { Clone: agent, Copy: human, Send: system }
        states { State, Event, Some, Ok, final None, final Err }
        events {
            Vec     { option: ::std::option::Option<::std::string::String> } reported by Send;
            Option  { result: ::std::vec::Vec<u8>, some: u8, formatter: u8 };
            String;
            Result  { string: ::std::string::String, event: u8, bounds: u8 };
            Default reported by Send;
        }
        transitions {
            Vec:     new          => State;
            Option:  State        => Event;
            String:  Event        => Some;
            Result:  State | Some => Ok;
            String:  Ok           => None;
            Default: Ok | Event   => Err;
        }
        actions {
            From      { risk: low,  by: Clone, emits: Option | Result };
            Into      { risk: low,  by: Clone, emits: String };
            Drop      { risk: high, by: Clone, emits: Result, approval: Copy };
            Debug     { risk: low,  by: Copy,  emits: none };
            Serialize { risk: low,  by: Copy,  emits: none };
        }
        allow { State => [From, Debug, Serialize]; Event | Ok => [Into]; Some => [Drop, Debug]; }
        never { None without Clone }
    }

    #[action(Box::From)]
    async fn from(
        option: ::std::option::Option<::std::string::String>,
        fields: u8,
        members: u8,
        parameters: u8,
        value: u8,
        f: u8,
        #[param(length(min = 1))] bounds: ::std::string::String,
    ) -> ::std::result::Result<FromEvent, Failure> {
        let _ = (fields, members, parameters, value, f, bounds);
        ::std::result::Result::Ok(match option {
            ::std::option::Option::Some(string) => FromEvent::Result(Result { string, event: 0, bounds: 0 }),
            ::std::option::Option::None => {
                FromEvent::Option(Option { result: ::std::vec::Vec::new(), some: 0, formatter: 0 })
            }
        })
    }

    #[action(Box::Into)]
    async fn into() -> ::std::result::Result<String, Failure> {
        ::std::result::Result::Ok(String)
    }

    #[action(Box::Drop)]
    async fn drop(execution: &::kiff::Execution) -> ::std::result::Result<Result, Failure> {
        let string = ::std::borrow::ToOwned::to_owned(execution.id().as_str());
        ::std::result::Result::Ok(Result { string, event: 0, bounds: 0 })
    }

    #[action(Box::Debug)]
    async fn debug(__action: u8, __permit: u8, __execution: u8, __services: u8) -> ::std::result::Result<(), Failure> {
        let _ = (__action, __permit, __execution, __services);
        ::std::result::Result::Ok(())
    }

    #[action(Box::Serialize)]
    async fn serialize() -> ::std::result::Result<(), Failure> {
        ::std::result::Result::Ok(())
    }
}

/// The names of kiff itself, and those that stand in what the macros write.
pub mod kiff {
    use ::kiff::{Cents as Amount, Failure as Wrong, action as executor, domain as block};

    block! {
        pub domain Domain governs Action;
        roles { S: agent, T: system }
        states { Any, A, D, final R }
        events { Handle { domain: Amount } reported by T; Executor { name: Amount }; Empty; }
        transitions { Handle: new => Any; Executor: Any | A => D; Empty: D => R; Empty: Any => A; }
        actions {
            Entry  { risk: low, by: S, emits: Executor };
            Permit { risk: low, by: S, emits: Empty };
        }
        allow { Any | A => [Entry]; Any | D => [Permit]; }
    }

    #[executor(Domain::Entry)]
    async fn run(name: Amount) -> ::core::result::Result<Executor, Wrong> {
        ::core::result::Result::Ok(Executor { name })
    }

    #[executor(Domain::Permit)]
    async fn read() -> ::core::result::Result<Empty, Wrong> {
        ::core::result::Result::Ok(Empty)
    }
}

/// Words of the language.
#[expect(non_camel_case_types, reason = "that the words stay words is the point")]
pub mod raw {
    use ::kiff::{Failure, action, domain};

    domain! {
        pub domain r#Type governs r#Struct;
        roles { r#Self_: agent, r#static: system }
        states { r#match, r#in, final r#fn }
        events {
            r#where { r#type: u8, r#enum: ::std::option::Option<u8> } reported by r#static;
            r#move  { r#type: u8 };
        }
        transitions { r#where: new => r#match; r#move: r#match => r#in; r#move: r#in => r#fn; }
        actions { r#async { risk: low, by: r#Self_, emits: r#move }; }
        allow { r#match | r#in => [r#async]; }
    }

    #[action(r#Type::r#async)]
    async fn r#loop(r#type: u8, #[param(range(min = 1))] r#yield: u8) -> ::std::result::Result<r#move, Failure> {
        ::std::result::Result::Ok(r#move { r#type: r#type + r#yield })
    }
}

/// Names that are those of what a block makes beside its types, and two actions that one fn's name would fit.
pub mod block {
    use ::kiff::{Failure, action, domain};

    pub const ENTRIES: usize = 4;
    pub const CONTRACTS: usize = 5;
    pub const SCHEMA: usize = 6;
    pub type Action0 = u8;

    domain! {
        /// What runs somewhere else.
        pub domain Functions governs Function;
        roles { Caller: agent, Host: system }
        states { Ready, final Gone }
        events {
            Made { slots: [u8; ENTRIES], pages: [u8; CONTRACTS], plans: [u8; SCHEMA], kind: Action0 } reported by Host;
            Called;
            Dropped;
        }
        transitions { Made: new => Ready; Called: Ready => Ready; Dropped: Ready => Gone; }
        actions {
            HttpCall                   { risk: low, by: Caller, emits: Called, effect: none };
            HTTPCall as "HTTP_CALL_OLD" { risk: low, by: Caller, emits: Called, effect: none, permission: "functions.old_call" };
            Drop                       { risk: low, by: Caller, emits: Dropped, effect: none };
        }
        allow { Ready => [HttpCall, HTTPCall, Drop]; }
    }

    #[action(Functions::HttpCall)]
    async fn http_call() -> ::std::result::Result<Called, Failure> {
        ::std::result::Result::Ok(Called)
    }

    #[action(Functions::HTTPCall)]
    async fn old_http_call() -> ::std::result::Result<Called, Failure> {
        ::std::result::Result::Ok(Called)
    }

    #[action(Functions::Drop)]
    async fn drop() -> ::std::result::Result<Dropped, Failure> {
        ::std::result::Result::Ok(Dropped)
    }
}
