// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {MarketTest} from "test/contracts/lib/MarketTest.sol";

/// @dev The trees that the sdk builds, checked by the contract that will judge them.
contract MerkleTest is MarketTest {
    function test_IsShardOf_AgreesWithTheSdksVectors() external view {
        string memory json = vm.readFile("test/vectors/merkle.json");
        uint256 proofs;
        for (uint256 i; vm.keyExistsJson(json, _tree(i)); ++i) {
            bytes32 root = vm.parseJsonBytes32(json, string.concat(_tree(i), ".root"));
            uint256 size = vm.parseJsonUint(json, string.concat(_tree(i), ".size"));
            for (uint256 k; k < size; ++k) {
                _check(json, string.concat(_tree(i), ".leaves[", vm.toString(k), "]"), root);
                ++proofs;
            }
        }
        assertEq(proofs, 75, "trees of 1, 2, 3, 5 and 64 leaves");
    }

    function _tree(uint256 i) private pure returns (string memory) {
        return string.concat(".trees[", vm.toString(i), "]");
    }

    function _check(string memory json, string memory leaf, bytes32 root) private view {
        uint32 shard = uint32(vm.parseJsonUint(json, string.concat(leaf, ".shard")));
        bytes32 hash = vm.parseJsonBytes32(json, string.concat(leaf, ".hash"));
        uint64 units = uint64(vm.parseJsonUint(json, string.concat(leaf, ".units")));
        bytes32[] memory proof = vm.parseJsonBytes32Array(json, string.concat(leaf, ".proof"));
        assertTrue(market.isShardOf(root, shard, hash, units, proof), leaf);
        assertFalse(market.isShardOf(root, shard ^ 1, hash, units, proof), leaf);
        assertFalse(market.isShardOf(root, shard, hash, units ^ 1, proof), leaf);
    }
}
