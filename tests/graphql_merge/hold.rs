//! One batch: each operation alone, and all of them through the merger.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Mutex;

use async_graphql::{Request, ServerError, Variables};
use bartizan_graphql::merge::{Settings, Verdict, plan};
use bartizan_graphql::{Answer, GraphqlError, Operation, RawJson};
use serde_json::Value;
use tokio::runtime::Runtime;

use crate::asked::Asked;
use crate::schema::Server;

/// How often what happened.
pub type Ways = BTreeMap<&'static str, usize>;

pub struct World {
    pub server: Server,
    pub runtime: Runtime,
}

impl World {
    pub fn ask(&self, document: &str, variables: Value, name: Option<&str>) -> Answer {
        let mut request = Request::new(document)
            .variables(Variables::from_json(variables))
            .data(Mutex::new(Vec::<String>::new()));
        request.operation_name = name.map(str::to_owned);
        let mut response = self.runtime.block_on(self.server.execute(request));
        // As some servers warn of what they answer.
        if response.data.to_string().contains(r#""warn""#) {
            response.errors.push(ServerError::new("a warning", None));
        }
        let body = serde_json::to_vec(&response).expect("an answer is JSON");
        Answer::read(&body.into()).expect("an answer of a server")
    }

    fn alone(&self, asked: &Asked) -> Answer {
        self.ask(&asked.document(), asked.values(), asked.name.as_deref())
    }
}

/// What is compared: data as it is written, and errors without their locations.
#[derive(PartialEq)]
struct Told(Option<String>, Vec<GraphqlError>);

impl Told {
    fn of(answer: &Answer) -> Self {
        let errors = answer.errors().iter().map(|error| error.clone().with_locations(Vec::new()));
        Self(answer.data().map(|data| data.get().to_owned()), errors.collect())
    }
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}", self.0.as_deref().unwrap_or("null"), self.1)
    }
}

/// # Errors
/// If somebody is told something else than alone, or there were more calls than there have to be.
pub fn hold(world: &World, batch: &[Asked]) -> Result<Ways, String> {
    let mut ways = Ways::new();
    let alone: Vec<_> = batch.iter().map(|asked| Told::of(&world.alone(asked))).collect();
    let operations: Vec<_> = batch.iter().map(operation).collect();
    let sendings = plan(&operations, Settings::default());
    let (mut calls, mut told) = (0, BTreeMap::new());
    for sending in &sendings {
        calls += 1;
        let verdicts = if let [member] = sending.members() {
            *ways.entry("alone").or_default() += 1;
            sending.split(world.alone(&batch[*member]))
        } else {
            *ways.entry("merged").or_default() += 1;
            let variables = serde_json::from_str(&sending.variables()).expect("JSON");
            sending.split(world.ask(sending.document(), variables, None))
        };
        for (member, verdict) in verdicts {
            let answer = match verdict {
                Verdict::Own(answer) => answer,
                Verdict::Again => {
                    calls += 1;
                    *ways.entry("again").or_default() += 1;
                    world.alone(&batch[member])
                }
                verdict => return Err(format!("{member} is told {verdict:?}")),
            };
            if told.insert(member, answer).is_some() {
                return Err(format!("{member} is told something twice"));
            }
        }
    }
    for (member, alone) in alone.iter().enumerate() {
        let Some(told) = told.get(&member) else { return Err(format!("{member} is told nothing")) };
        if told.data().is_none_or(RawJson::is_null) && told.errors().is_empty() {
            return Err(format!("{member} is told null without an error"));
        }
        let told = Told::of(told);
        if told != *alone {
            return Err(format!("{member} is told\n  {told}\nand alone\n  {alone}"));
        }
    }
    let expected = expected(batch, &alone, &mut ways);
    if expected.is_some_and(|expected| expected != calls) {
        let alone: Vec<_> = alone.iter().map(ToString::to_string).collect();
        return Err(format!("{calls} calls instead of {expected:?}, and alone\n  {}", alone.join("\n  ")));
    }
    if calls > sendings.len() + batch.len() {
        return Err(format!("{calls} calls for {} operations", batch.len()));
    }
    Ok(ways)
}

/// How many calls it has to be, where that is known.
fn expected(batch: &[Asked], alone: &[Told], ways: &mut Ways) -> Option<usize> {
    let with_errors = alone.iter().filter(|told| !told.1.is_empty()).count();
    let null = alone.iter().filter(|told| told.0.is_none()).count();
    let refused = |told: &Told| told.1.iter().any(|error| error.path().is_empty());
    if batch.iter().any(|asked| asked.broken.is_some()) || alone.iter().any(refused) {
        *ways.entry("broken").or_default() += 1;
        return None;
    }
    let way = match (null, with_errors) {
        (0, 0) => "all well",
        (0, _) => "partial",
        (1, 1) => "null",
        _ => "null and other errors",
    };
    *ways.entry(way).or_default() += 1;
    match (null, with_errors) {
        (0, _) => Some(1),
        (1, 1) => Some(batch.len()),
        // Which errors the server still finds once all is null is its own affair.
        _ => None,
    }
}

pub fn operation(asked: &Asked) -> Operation {
    let operation = Operation::new(asked.document()).variables(&asked.values()).expect("an object");
    match &asked.name {
        Some(name) => operation.name(name.as_str()),
        None => operation,
    }
}
