//! A server with a bit of everything: what fails does so because its arguments say it.

use async_graphql::{
    EmptySubscription, Enum, Error, ErrorExtensions, InputObject, Interface, Object, Result, Schema, Union,
};

pub type Server = Schema<Query, Mutation, EmptySubscription>;

pub fn server() -> Server {
    Schema::new(Query, Mutation, EmptySubscription)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Enum)]
pub enum Colour {
    Red,
    Green,
}

#[derive(Debug, InputObject)]
pub struct Filter {
    name: Option<String>,
    least: Option<i32>,
    tags: Option<Vec<String>>,
    inner: Option<Box<Filter>>,
}

pub struct Query;

#[Object]
impl Query {
    async fn number(&self, n: Option<i32>) -> i32 {
        n.unwrap_or(7)
    }

    async fn same(&self, #[graphql(name = "as")] value: bool) -> bool {
        value
    }

    async fn text(&self, of: String) -> String {
        of
    }

    async fn echo(
        &self,
        filter: Option<Filter>,
        colour: Option<Colour>,
        list: Option<Vec<Option<i32>>>,
    ) -> String {
        format!("{filter:?} {colour:?} {list:?}")
    }

    async fn nothing(&self) -> Option<i32> {
        None
    }

    async fn maybe(&self, fail: Option<bool>) -> Result<Option<i32>> {
        outcome(fail).map(Some)
    }

    async fn must(&self, fail: Option<bool>) -> Result<i32> {
        outcome(fail)
    }

    async fn node(&self, n: Option<i32>) -> Option<Node> {
        Some(Node(n.unwrap_or(1)))
    }

    /// Not nullable: what fails inside goes on to the root.
    async fn sure(&self, n: Option<i32>) -> Node {
        Node(n.unwrap_or(2))
    }

    async fn named(&self, n: Option<i32>) -> Option<Named> {
        Some(if n.unwrap_or(0) % 2 == 0 { Node(4).into() } else { Leaf(5).into() })
    }

    async fn any(&self) -> Vec<Any> {
        vec![Node(6).into(), Leaf(7).into()]
    }

    async fn query(&self) -> Query {
        Query
    }
}

fn outcome(fail: Option<bool>) -> Result<i32> {
    if fail == Some(true) {
        return Err(Error::new("it was asked to fail")
            .extend_with(|_, extensions| extensions.set("code", "ASKED_FOR")));
    }
    Ok(1)
}

pub struct Node(i32);

#[Object]
impl Node {
    async fn id(&self) -> i32 {
        self.0
    }

    async fn name(&self) -> String {
        format!("node {}", self.0)
    }

    async fn maybe(&self, fail: Option<bool>) -> Result<Option<i32>> {
        outcome(fail).map(Some)
    }

    async fn must(&self, fail: Option<bool>) -> Result<i32> {
        outcome(fail)
    }

    async fn parent(&self) -> Option<Node> {
        (self.0 > 0).then_some(Self(self.0 - 1))
    }

    async fn children(&self, n: Option<i32>) -> Vec<Option<Node>> {
        (0..n.unwrap_or(2).clamp(0, 2)).map(|child| Some(Self(10 * self.0 % 1000 + child))).collect()
    }

    async fn query(&self) -> Query {
        Query
    }
}

pub struct Leaf(i32);

#[Object]
impl Leaf {
    async fn id(&self) -> i32 {
        self.0
    }

    async fn name(&self) -> String {
        format!("leaf {}", self.0)
    }

    async fn colour(&self) -> Colour {
        if self.0 % 2 == 0 { Colour::Red } else { Colour::Green }
    }
}

#[derive(Interface)]
#[graphql(field(name = "id", ty = "i32"), field(name = "name", ty = "String"))]
pub enum Named {
    Node(Node),
    Leaf(Leaf),
}

#[derive(Union)]
pub enum Any {
    Node(Node),
    Leaf(Leaf),
}

pub struct Mutation;

#[Object]
impl Mutation {
    /// What was said before in this request, and this.
    async fn say(&self, context: &async_graphql::Context<'_>, word: String) -> Result<Vec<String>> {
        let said: &std::sync::Mutex<Vec<String>> = context.data()?;
        let mut said = said.lock().expect("nobody panics");
        said.push(word);
        Ok(said.clone())
    }
}
