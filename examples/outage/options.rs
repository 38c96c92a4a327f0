//! The command line.

/// `--seed N` and `--quick`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options {
    pub(crate) seed: u64,
    pub(crate) quick: bool,
}

impl Options {
    pub(crate) fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { seed: 1, quick: false };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--quick" => options.quick = true,
                "--seed" => {
                    let seed = args.next().and_then(|seed| seed.parse().ok());
                    options.seed = seed.ok_or("--seed needs a number, such as --seed 7")?;
                }
                other => return Err(format!("`{other}` is not known here; there are --seed N and --quick")),
            }
        }
        Ok(options)
    }
}
