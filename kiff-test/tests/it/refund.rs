use kiff::{Cents, Failure};
use kiff_test::Spy;

/// What the executors touch.
#[derive(Debug, Default)]
pub struct RefundDesk { pub bank: Spy<Transfer> }

/// What the bank was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transfer { Captured(String), PaidBack(Cents) }


// ------------------------------------------------------------------ domain! { … }
/// Orders, their payments and their refunds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refund { MarkPaid, RefundOrder }

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundRole { Agent, Operator, System }
impl ::core::convert::From<RefundRole> for ::kiff::Role {
    fn from(role: RefundRole) -> Self {
        match role { RefundRole::Agent => REFUND_ROLE_AGENT, RefundRole::Operator => REFUND_ROLE_OPERATOR, RefundRole::System => REFUND_ROLE_SYSTEM }
    }
}
// (in the macro: private consts live inside the hidden module, see below)
const REFUND_ROLE_AGENT: ::kiff::Role = ::kiff::Role { domain: ::kiff::Text::Borrowed("refund"), name: ::kiff::Text::Borrowed("agent"), kind: ::kiff::ActorKind::Agent };
const REFUND_ROLE_OPERATOR: ::kiff::Role = ::kiff::Role { domain: ::kiff::Text::Borrowed("refund"), name: ::kiff::Text::Borrowed("operator"), kind: ::kiff::ActorKind::Human };
const REFUND_ROLE_SYSTEM: ::kiff::Role = ::kiff::Role { domain: ::kiff::Text::Borrowed("refund"), name: ::kiff::Text::Borrowed("system"), kind: ::kiff::ActorKind::System };

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum OrderState { Created, Paid, Refunded }
impl ::core::fmt::Display for OrderState {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result { f.write_str(<Self as ::kiff::__private::State>::name(*self)) }
}
impl ::kiff::__private::State for OrderState {
    fn from_name(name: &str) -> Option<Self> { match name { "CREATED" => Some(Self::Created), "PAID" => Some(Self::Paid), "REFUNDED" => Some(Self::Refunded), _ => None } }
    fn name(self) -> &'static str { match self { Self::Created => "CREATED", Self::Paid => "PAID", Self::Refunded => "REFUNDED" } }
}

#[derive(Debug, Clone, ::kiff::__private::serde::Serialize, ::kiff::__private::serde::Deserialize)]
#[serde(crate = "::kiff::__private::serde")]
pub struct OrderPlaced { pub total: Cents }
#[derive(Debug, Clone, ::kiff::__private::serde::Serialize, ::kiff::__private::serde::Deserialize)]
#[serde(crate = "::kiff::__private::serde")]
pub struct OrderPaid { pub payment_id: String }
#[derive(Debug, Clone, ::kiff::__private::serde::Serialize, ::kiff::__private::serde::Deserialize)]
#[serde(crate = "::kiff::__private::serde")]
pub struct OrderRefunded { pub amount: Cents, pub reason: String }

#[derive(Debug, Clone)]
pub enum OrderEvent { OrderPlaced(OrderPlaced), OrderPaid(OrderPaid), OrderRefunded(OrderRefunded) }
impl ::kiff::__private::Event for OrderEvent {
    fn name(&self) -> &'static str { match self { Self::OrderPlaced(_) => "ORDER_PLACED", Self::OrderPaid(_) => "ORDER_PAID", Self::OrderRefunded(_) => "ORDER_REFUNDED" } }
    fn encode(&self, bounds: &::kiff::__private::Bounds) -> Result<::kiff::__private::Json, ::kiff::__private::JsonError> {
        match self { Self::OrderPlaced(event) => ::kiff::__private::Json::encode(event, bounds), Self::OrderPaid(event) => ::kiff::__private::Json::encode(event, bounds), Self::OrderRefunded(event) => ::kiff::__private::Json::encode(event, bounds) }
    }
    fn decode(name: &str, payload: &::kiff::__private::Json) -> Option<Result<Self, ::kiff::__private::JsonError>> {
        match name {
            "ORDER_PLACED" => Some(payload.decode().map(Self::OrderPlaced)),
            "ORDER_PAID" => Some(payload.decode().map(Self::OrderPaid)),
            "ORDER_REFUNDED" => Some(payload.decode().map(Self::OrderRefunded)),
            _ => None,
        }
    }
}
impl From<OrderPlaced> for OrderEvent { fn from(event: OrderPlaced) -> Self { Self::OrderPlaced(event) } }
impl From<OrderPaid> for OrderEvent { fn from(event: OrderPaid) -> Self { Self::OrderPaid(event) } }
impl From<OrderRefunded> for OrderEvent { fn from(event: OrderRefunded) -> Self { Self::OrderRefunded(event) } }
impl ::kiff::__private::Emitted<Refund> for OrderPaid { fn into_event(self) -> Option<OrderEvent> { Some(OrderEvent::OrderPaid(self)) } }
impl ::kiff::__private::Emitted<Refund> for OrderRefunded { fn into_event(self) -> Option<OrderEvent> { Some(OrderEvent::OrderRefunded(self)) } }
// only for events that are `reported by` somebody:
#[diagnostic::do_not_recommend]
impl ::kiff::__private::Incoming<Refund> for OrderPlaced {
    fn arrive(self, bounds: &::kiff::__private::Bounds) -> ::kiff::__private::Arrival { ::kiff::__private::Arrival::typed(&OrderEvent::OrderPlaced(self), bounds) }
}

/// The handle.
pub type Order<S = ::kiff::__private::Any> = ::kiff::__private::Handle<Refund, S>;

/// The states and actions of `Refund`, as types.
pub mod refund {
    #[derive(Debug, Clone, Copy, PartialEq, Eq)] pub struct Created;
    #[derive(Debug, Clone, Copy, PartialEq, Eq)] pub struct Paid;
    #[derive(Debug, Clone, Copy, PartialEq, Eq)] pub struct Refunded;
    #[derive(Debug, Clone, Copy, PartialEq, Eq)] pub struct MarkPaid;
    #[derive(Debug, Clone, Copy, PartialEq, Eq)] pub struct RefundOrder;
}
impl ::kiff::__private::InState<Refund> for refund::Created { const STATE: OrderState = OrderState::Created; }
impl ::kiff::__private::InState<Refund> for refund::Paid { const STATE: OrderState = OrderState::Paid; }
impl ::kiff::__private::InState<Refund> for refund::Refunded { const STATE: OrderState = OrderState::Refunded; }
#[diagnostic::do_not_recommend] impl ::kiff::__private::Allows<refund::MarkPaid> for refund::Created { type To = refund::Paid; }
#[diagnostic::do_not_recommend] impl ::kiff::__private::Allows<refund::RefundOrder> for refund::Paid { type To = refund::Refunded; }

impl ::kiff::__private::Declared for refund::MarkPaid { type Domain = Refund; type Emits = OrderPaid; const ACTION: Refund = Refund::MarkPaid; }
impl ::kiff::__private::Declared for refund::RefundOrder { type Domain = Refund; type Emits = OrderRefunded; const ACTION: Refund = Refund::RefundOrder; }
impl ::kiff::__private::Declares<{ Refund::MarkPaid as usize }> for Refund { type Declared = refund::MarkPaid; }
impl ::kiff::__private::Declares<{ Refund::RefundOrder as usize }> for Refund { type Declared = refund::RefundOrder; }

const _: () = {
    use ::kiff::__private as kiff;
    use kiff::Text as T; // the macro uses full paths
    static ACTIONS: [kiff::Contract; 2] = [
        kiff::Contract {
            name: T::Borrowed("MARK_PAID"), documentation: T::Borrowed(""), risk: kiff::Risk::Low, effect: kiff::Effect::Outside,
            permission: kiff::Permission { name: T::Borrowed("refund.mark_paid"), roles: kiff::List::Borrowed(&[REFUND_ROLE_AGENT]) },
            approval: kiff::ApprovalRule::None,
            emits: kiff::List::Borrowed(&[T::Borrowed("ORDER_PAID")]), allowed_in: kiff::List::Borrowed(&[T::Borrowed("CREATED")]),
            parameters: kiff::List::Borrowed(<refund::MarkPaid as kiff::Executor<Refund>>::PARAMETERS),
        },
        kiff::Contract {
            name: T::Borrowed("REFUND_ORDER"), documentation: T::Borrowed(""), risk: kiff::Risk::High, effect: kiff::Effect::Outside,
            permission: kiff::Permission { name: T::Borrowed("refund.refund_order"), roles: kiff::List::Borrowed(&[REFUND_ROLE_AGENT]) },
            approval: kiff::ApprovalRule::By(kiff::Permission { name: T::Borrowed("refund.approve_refund_order"), roles: kiff::List::Borrowed(&[REFUND_ROLE_OPERATOR]) }),
            emits: kiff::List::Borrowed(&[T::Borrowed("ORDER_REFUNDED")]), allowed_in: kiff::List::Borrowed(&[T::Borrowed("PAID")]),
            parameters: kiff::List::Borrowed(<refund::RefundOrder as kiff::Executor<Refund>>::PARAMETERS),
        },
    ];
    static SCHEMA: kiff::Schema = kiff::Schema {
        domain: T::Borrowed("refund"), entity_type: T::Borrowed("Order"), documentation: T::Borrowed("Orders, their payments and their refunds."),
        roles: kiff::List::Borrowed(&[
            kiff::RoleSchema { name: T::Borrowed("agent"), kind: kiff::ActorKind::Agent, documentation: T::Borrowed("") },
            kiff::RoleSchema { name: T::Borrowed("operator"), kind: kiff::ActorKind::Human, documentation: T::Borrowed("") },
            kiff::RoleSchema { name: T::Borrowed("system"), kind: kiff::ActorKind::System, documentation: T::Borrowed("") },
        ]),
        states: kiff::List::Borrowed(&[kiff::StateSchema { name: T::Borrowed("CREATED"), is_final: false, documentation: T::Borrowed("") },
            kiff::StateSchema { name: T::Borrowed("PAID"), is_final: false, documentation: T::Borrowed("") },
            kiff::StateSchema { name: T::Borrowed("REFUNDED"), is_final: true, documentation: T::Borrowed("") }]),
        events: kiff::List::Borrowed(&[
            kiff::EventSchema { name: T::Borrowed("ORDER_PLACED"), documentation: T::Borrowed(""),
                fields: kiff::List::Borrowed(&[kiff::FieldSchema { name: T::Borrowed("total"), type_name: T::Borrowed("Cents"), documentation: T::Borrowed("") }]),
                // permission name of a report: `<domain>.report_<snake event>`
                report: kiff::Permission { name: T::Borrowed("refund.report_order_placed"), roles: kiff::List::Borrowed(&[REFUND_ROLE_SYSTEM]) } },
            kiff::EventSchema { name: T::Borrowed("ORDER_PAID"), documentation: T::Borrowed(""),
                fields: kiff::List::Borrowed(&[kiff::FieldSchema { name: T::Borrowed("payment_id"), type_name: T::Borrowed("String"), documentation: T::Borrowed("") }]),
                report: kiff::Permission { name: T::Borrowed("refund.report_order_paid"), roles: kiff::List::Borrowed(&[]) } },
            kiff::EventSchema { name: T::Borrowed("ORDER_REFUNDED"), documentation: T::Borrowed(""),
                fields: kiff::List::Borrowed(&[kiff::FieldSchema { name: T::Borrowed("amount"), type_name: T::Borrowed("Cents"), documentation: T::Borrowed("") },
                    kiff::FieldSchema { name: T::Borrowed("reason"), type_name: T::Borrowed("String"), documentation: T::Borrowed("") }]),
                report: kiff::Permission { name: T::Borrowed("refund.report_order_refunded"), roles: kiff::List::Borrowed(&[]) } },
        ]),
        transitions: kiff::List::Borrowed(&[
            kiff::Transition { event: T::Borrowed("ORDER_PLACED"), from: None, to: T::Borrowed("CREATED") },
            kiff::Transition { event: T::Borrowed("ORDER_PAID"), from: Some(T::Borrowed("CREATED")), to: T::Borrowed("PAID") },
            kiff::Transition { event: T::Borrowed("ORDER_REFUNDED"), from: Some(T::Borrowed("PAID")), to: T::Borrowed("REFUNDED") },
        ]),
        actions: kiff::List::Borrowed(&ACTIONS),
        never: kiff::List::Borrowed(&[kiff::Never::Without { state: T::Borrowed("REFUNDED"), role: T::Borrowed("operator") }]),
    };
    static ENTRIES: [kiff::Entry<Refund>; 2] = [
        <refund::MarkPaid as kiff::Executor<Refund>>::ENTRY,
        <refund::RefundOrder as kiff::Executor<Refund>>::ENTRY,
    ];
    impl kiff::Domain for Refund {
        type State = OrderState; type Event = OrderEvent; type Services = RefundDesk;
        fn schema() -> &'static kiff::Schema { &SCHEMA }
        fn from_name(name: &str) -> Option<Self> { match name { "MARK_PAID" => Some(Self::MarkPaid), "REFUND_ORDER" => Some(Self::RefundOrder), _ => None } }
        fn contract(self) -> &'static kiff::Contract { match self { Self::MarkPaid => &ACTIONS[0], Self::RefundOrder => &ACTIONS[1] } }
        fn allowed_in(self, state: OrderState) -> bool { matches!((self, state), (Self::MarkPaid, OrderState::Created) | (Self::RefundOrder, OrderState::Paid)) }
        fn transition(from: Option<OrderState>, event: &str) -> Option<OrderState> {
            match (event, from) {
                ("ORDER_PLACED", None) => Some(OrderState::Created),
                ("ORDER_PAID", Some(OrderState::Created)) => Some(OrderState::Paid),
                ("ORDER_REFUNDED", Some(OrderState::Paid)) => Some(OrderState::Refunded),
                _ => None,
            }
        }
        fn actions() -> &'static [Self] { &[Self::MarkPaid, Self::RefundOrder] }
    }
    impl kiff::Executable for Refund { fn entry(self) -> &'static kiff::Entry<Self> { match self { Self::MarkPaid => &ENTRIES[0], Self::RefundOrder => &ENTRIES[1] } } }
};

// ------------------------------------------------------------------ #[action(Refund::MarkPaid)]
/// Captures the payment.
#[derive(Debug, Clone)]
pub struct MarkPaid { pub payment_id: String }
const _: () = {
    type Declared = <Refund as ::kiff::__private::Declares<{ Refund::MarkPaid as usize }>>::Declared;
    impl ::kiff::__private::Action for MarkPaid {
        type Domain = Refund; type Declared = Declared;
        const PARAMETERS: &'static [::kiff::__private::Parameter] = &[::kiff::__private::Parameter {
            name: ::kiff::__private::Text::Borrowed("payment_id"), type_name: ::kiff::__private::Text::Borrowed("String"), documentation: ::kiff::__private::Text::Borrowed(""),
            optional: false, rules: ::kiff::__private::List::Borrowed(&[]) }];
        fn decode(parameters: &::kiff::__private::Json) -> Result<Self, ::kiff::__private::ParameterFault> {
            let mut fields = ::kiff::__private::Fields::read(parameters, Self::PARAMETERS)?;
            Ok(Self { payment_id: fields.required("payment_id")? })
        }
        fn encode(&self, bounds: &::kiff::__private::Bounds) -> Result<::kiff::__private::Json, ::kiff::__private::ParameterFault> {
            let mut members = ::kiff::__private::Members::default();
            members.put("payment_id", &self.payment_id)?;
            members.finish(bounds)
        }
        fn check(&self) -> Result<(), ::kiff::__private::ParameterFault> { Ok(()) }
    }
    #[diagnostic::do_not_recommend]
    impl<S> ::kiff::__private::AllowedIn<S> for MarkPaid where S: ::kiff::__private::Allows<Declared> { type To = S::To; }
    #[diagnostic::do_not_recommend]
    impl ::kiff::__private::Executor<Refund> for Declared {
        type Action = MarkPaid;
        async fn run<'a>(permit: ::kiff::__private::Permit<'a, MarkPaid>, action: MarkPaid, services: &'a RefundDesk, execution: &'a ::kiff::__private::Execution) -> Result<Self::Emits, Failure> {
            async fn mark_paid(desk: &RefundDesk, payment_id: String) -> Result<OrderPaid, Failure> { desk.bank.call(Transfer::Captured(payment_id.clone()))?; Ok(OrderPaid { payment_id }) }
            let _ = (permit, execution);
            mark_paid(services, action.payment_id).await
        }
    }
};
// ------------------------------------------------------------------ #[action(Refund::RefundOrder)]
#[derive(Debug, Clone)]
pub struct RefundOrder { pub amount: Cents, pub reason: String }
const _: () = {
    type Declared = <Refund as ::kiff::__private::Declares<{ Refund::RefundOrder as usize }>>::Declared;
    impl ::kiff::__private::Action for RefundOrder {
        type Domain = Refund; type Declared = Declared;
        const PARAMETERS: &'static [::kiff::__private::Parameter] = &[
            ::kiff::__private::Parameter { name: ::kiff::__private::Text::Borrowed("amount"), type_name: ::kiff::__private::Text::Borrowed("Cents"), documentation: ::kiff::__private::Text::Borrowed(""), optional: false,
              rules: ::kiff::__private::List::Borrowed(&[::kiff::__private::Rule::Range { min: Some(1), max: Some(1_000_000) }]) },
            ::kiff::__private::Parameter { name: ::kiff::__private::Text::Borrowed("reason"), type_name: ::kiff::__private::Text::Borrowed("String"), documentation: ::kiff::__private::Text::Borrowed(""), optional: false,
              rules: ::kiff::__private::List::Borrowed(&[::kiff::__private::Rule::Length { min: Some(1), max: Some(500) }]) },
        ];
        fn decode(parameters: &::kiff::__private::Json) -> Result<Self, ::kiff::__private::ParameterFault> {
            let mut fields = ::kiff::__private::Fields::read(parameters, Self::PARAMETERS)?;
            Ok(Self { amount: fields.required("amount")?, reason: fields.required("reason")? })
        }
        fn encode(&self, bounds: &::kiff::__private::Bounds) -> Result<::kiff::__private::Json, ::kiff::__private::ParameterFault> {
            let mut members = ::kiff::__private::Members::default();
            members.put("amount", &self.amount)?;
            members.put("reason", &self.reason)?;
            members.finish(bounds)
        }
        fn check(&self) -> Result<(), ::kiff::__private::ParameterFault> {
            ::kiff::__private::check_range("amount", &self.amount, Some(1), Some(1_000_000))?;
            ::kiff::__private::check_length("reason", &self.reason, Some(1), Some(500))?;
            Ok(())
        }
    }
    #[diagnostic::do_not_recommend]
    impl<S> ::kiff::__private::AllowedIn<S> for RefundOrder where S: ::kiff::__private::Allows<Declared> { type To = S::To; }
    #[diagnostic::do_not_recommend]
    impl ::kiff::__private::Executor<Refund> for Declared {
        type Action = RefundOrder;
        async fn run<'a>(permit: ::kiff::__private::Permit<'a, RefundOrder>, action: RefundOrder, services: &'a RefundDesk, execution: &'a ::kiff::__private::Execution) -> Result<Self::Emits, Failure> {
            async fn refund_order(desk: &RefundDesk, amount: Cents, reason: String) -> Result<OrderRefunded, Failure> {
desk.bank.call(Transfer::PaidBack(amount))?; Ok(OrderRefunded { amount, reason }) }
            let _ = (permit, execution);
            refund_order(services, action.amount, action.reason).await
        }
    }
};

