// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {Bench, BenchLib} from "src-contracts/types/Bench.sol";
import {LeaseWord} from "src-contracts/types/Lease.sol";

/// @dev The bench by itself: whom it remembers, and what its chain binds.
contract BenchTest is Test {
    function testFuzz_Bench_NobodySitsTwiceAndElevenAreTheMost(uint256[16] memory seeds) external pure {
        Bench bench;
        uint256 taken;
        bool[256] memory sat;
        for (uint256 i; i < seeds.length; ++i) {
            uint256 print = seeds[i] % 255 + 1;
            (bool free, uint256 place) = bench.placeFor(print);
            assertEq(free, !sat[print] && taken < 11, "free");
            if (!free) continue;
            assertEq(place, taken);
            bench = bench.seat(place, print);
            sat[print] = true;
            ++taken;
        }
        assertEq(bench.chain(), 0, "prints do not touch the chain");
    }

    function test_Bench_TheTwelfthFindsNoPlace() external pure {
        Bench bench;
        for (uint256 i; i < BenchLib.PLACES; ++i) {
            (bool free, uint256 place) = bench.placeFor(i + 1);
            assertTrue(free);
            bench = bench.seat(place, i + 1);
        }
        (bool left,) = bench.placeFor(12);
        assertFalse(left);
    }

    function testFuzz_Bench_PrintIsOneOf255(bytes32 key, uint32 node) external pure {
        uint256 print = BenchLib.printOf(key, node);
        assertTrue(print != 0 && print < 256);
        assertEq(print, uint256(keccak256(abi.encode(key, node))) % 255 + 1);
    }

    /// @dev The chain is the hash of all that came before; prints survive every commitment.
    function testFuzz_Bench_ChainBindsEachCommitmentInOrder(uint256 prints, uint256 a, uint256 b, bytes32 x, bytes32 y)
        external
        pure
    {
        prints = (prints >> 168) << 168;
        Bench bench = Bench.wrap(prints).commit(LeaseWord.wrap(a), x).commit(LeaseWord.wrap(b), y);
        uint256 mask = (1 << 168) - 1;
        uint256 first = uint256(keccak256(abi.encode(uint256(0), a, x))) & mask;
        assertEq(bench.chain(), uint256(keccak256(abi.encode(first, b, y))) & mask);
        assertEq((Bench.unwrap(bench) >> 168) << 168, prints);
        if (a != b || x != y) {
            Bench other = Bench.wrap(prints).commit(LeaseWord.wrap(b), y).commit(LeaseWord.wrap(a), x);
            assertNotEq(other.chain(), bench.chain(), "order");
        }
    }
}
