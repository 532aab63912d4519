//! Argon2id with today's parameters, in memory that each hashing thread keeps. What else may be stored is not known here.

use std::cell::RefCell;

use argon2::password_hash::phc::{Output, ParamsString, PasswordHash, Salt};
use argon2::{
    ARGON2ID_IDENT, Algorithm, Argon2, Block, Params, PasswordVerifier as _, Version, password_hash,
};

use super::{HashError, internal};

/// Memory in KiB, passes and lanes: the least that OWASP ASVS 5.0 appendix C accepts for argon2id.
const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const OUTPUT_BYTES: usize = 32;

thread_local! {
    /// Empty until the thread's first hash. Getting it from the system anew takes half as long again as the hash itself.
    static MEMORY: RefCell<Vec<Block>> = const { RefCell::new(Vec::new()) };
}

/// What new passwords are hashed with. Cheap to clone.
#[derive(Clone)]
pub(super) struct Argon(Argon2<'static>);

impl Argon {
    /// # Errors
    /// None, as long as the parameters above are possible ones.
    pub(super) fn new() -> Result<Self, HashError> {
        let params = Params::new(MEMORY_KIB, PASSES, LANES, Some(OUTPUT_BYTES)).map_err(internal)?;
        Ok(Self(Argon2::new(Algorithm::Argon2id, Version::V0x13, params)))
    }

    /// Hashes `password` under a new random salt.
    ///
    /// # Errors
    /// [`HashError::Internal`].
    pub(super) fn hash(&self, password: &str) -> Result<PasswordHash, HashError> {
        let salt: [u8; 16] = rand::random();
        let output = self.compute(password, &salt)?;
        self.written(&salt, &output)
    }

    /// What no password matches, and as much work as any to compare with.
    ///
    /// # Errors
    /// [`HashError::Internal`].
    pub(super) fn nobodys(&self) -> Result<PasswordHash, HashError> {
        self.written(&rand::random::<[u8; 16]>(), &rand::random())
    }

    /// Whether `hash`, of any parameters, is of `password`.
    ///
    /// # Errors
    /// [`HashError::Internal`].
    pub(super) fn matches(&self, hash: &PasswordHash, password: &str) -> Result<bool, HashError> {
        if let (true, Some(salt), Some(output)) = (self.is_todays(hash), &hash.salt, &hash.hash) {
            let computed = Output::new(&self.compute(password, salt)?).map_err(internal)?;
            // Compares in constant time.
            return Ok(computed == *output);
        }
        match self.0.verify_password(password.as_bytes(), hash) {
            Ok(()) => Ok(true),
            Err(password_hash::Error::PasswordInvalid) => Ok(false),
            Err(error) => Err(internal(error)),
        }
    }

    /// Whether `hash` was made with today's algorithm, version and parameters.
    pub(super) fn is_todays(&self, hash: &PasswordHash) -> bool {
        let Ok(params) = Params::try_from(hash) else { return false };
        let today = self.0.params();
        hash.algorithm == ARGON2ID_IDENT
            && hash.version == Some(Version::V0x13.into())
            && (params.m_cost(), params.t_cost(), params.p_cost(), params.output_len())
                == (today.m_cost(), today.t_cost(), today.p_cost(), today.output_len())
    }

    fn compute(&self, password: &str, salt: &[u8]) -> Result<[u8; OUTPUT_BYTES], HashError> {
        let mut output = [0; OUTPUT_BYTES];
        MEMORY
            .with_borrow_mut(|memory| {
                memory.resize(self.0.params().block_count(), Block::default());
                self.0.hash_password_into_with_memory(
                    password.as_bytes(),
                    salt,
                    &mut output,
                    memory.as_mut_slice(),
                )
            })
            .map_err(internal)?;
        Ok(output)
    }

    fn written(&self, salt: &[u8], output: &[u8; OUTPUT_BYTES]) -> Result<PasswordHash, HashError> {
        Ok(PasswordHash {
            algorithm: ARGON2ID_IDENT,
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(self.0.params()).map_err(internal)?,
            salt: Some(Salt::new(salt).map_err(internal)?),
            hash: Some(Output::new(output).map_err(internal)?),
        })
    }
}
