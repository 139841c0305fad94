// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Hash} from "src-contracts/types/Hash.sol";
import {LeaseWord} from "src-contracts/types/Lease.sol";

/// @notice Who has sat on a range or a jury, and what they have committed to, in one storage word however many they are:
/// `prints 88 | chain 168`.
/// @dev PRINTS: eleven bytes, one for each node that ever sat, so that none sits twice. Two nodes may share one by chance (1 in 255 for each
/// that sits); the later then cannot sit here, which costs it nothing. CHAIN: each commitment is hashed onto it, so the word binds
/// all of them in their order for the price of one; who ends the range brings them in calldata. 168 bits leave 84 against a
/// node that looks for two answers with the same chain.
type Bench is uint256;

using BenchLib for Bench global;

library BenchLib {
    /// @notice Most nodes that can ever sit.
    uint256 internal constant PLACES = 11;
    uint256 private constant CHAIN_BITS = 168;
    uint256 private constant CHAIN_MASK = (1 << CHAIN_BITS) - 1;

    /// @notice The byte of a node on the bench under `key`; never zero.
    function printOf(bytes32 key, uint32 node) internal pure returns (uint256) {
        return uint256(Hash.words(uint256(key), node)) % 255 + 1;
    }

    /// @notice The place that a node with byte `print` would take. `free` is false when that byte has sat, or every place was taken.
    function placeFor(Bench self, uint256 print) internal pure returns (bool free, uint256 place) {
        for (; place < PLACES; ++place) {
            uint256 taken = (Bench.unwrap(self) >> (CHAIN_BITS + 8 * place)) & 0xff;
            if (taken == 0) return (true, place);
            if (taken == print) return (false, place);
        }
    }

    /// @notice With the byte `print` at `place`.
    function seat(Bench self, uint256 place, uint256 print) internal pure returns (Bench) {
        return Bench.wrap(Bench.unwrap(self) | (print << (CHAIN_BITS + 8 * place)));
    }

    /// @notice With one more commitment, by the holder of `claimed`.
    function commit(Bench self, LeaseWord claimed, bytes32 commitment) internal pure returns (Bench) {
        uint256 word = Bench.unwrap(self);
        return Bench.wrap((word & ~CHAIN_MASK) | next(word & CHAIN_MASK, claimed, commitment));
    }

    /// @notice The chain after one more commitment; it begins at zero.
    function next(uint256 before, LeaseWord claimed, bytes32 commitment) internal pure returns (uint256) {
        return uint256(Hash.words(before, LeaseWord.unwrap(claimed), uint256(commitment))) & CHAIN_MASK;
    }

    function chain(Bench self) internal pure returns (uint256) {
        return Bench.unwrap(self) & CHAIN_MASK;
    }
}
