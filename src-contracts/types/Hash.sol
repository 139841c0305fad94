// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @notice `keccak256(abi.encode(…))` of a few words, put together in memory that is free and left free: `abi.encode` reserves it first, which costs
/// more than the hash (about 100 gas each time).
library Hash {
    function words(uint256 a, uint256 b) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            mstore(0x00, a)
            mstore(0x20, b)
            digest := keccak256(0x00, 0x40)
        }
    }

    function words(uint256 a, uint256 b, uint256 c) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, a)
            mstore(add(at, 0x20), b)
            mstore(add(at, 0x40), c)
            digest := keccak256(at, 0x60)
        }
    }

    function words(uint256 a, uint256 b, uint256 c, uint256 d) internal pure returns (bytes32 digest) {
        assembly ("memory-safe") {
            let at := mload(0x40)
            mstore(at, a)
            mstore(add(at, 0x20), b)
            mstore(add(at, 0x40), c)
            mstore(add(at, 0x60), d)
            digest := keccak256(at, 0x80)
        }
    }
}
