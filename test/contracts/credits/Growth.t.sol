// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CreditsTest} from "test/contracts/credits/CreditsTest.sol";
import {HonestReceipts} from "test/contracts/credits/HonestReceipts.sol";

/// @dev Minting costs the same after a hundred times the jobs, epochs and owners.
contract CreditsGrowthTest is CreditsTest {
    constructor() CreditsTest(new HonestReceipts(makeAddr("treasury"))) {}

    function _minting() private returns (uint256 gas_) {
        Batch memory b = _batch(_terms(), 1);
        _settle(b, alice);
        bytes memory data = abi.encodeCall(credits.mint, (b.t.pack(), _packed(b), b.results));
        _mint(b);
        gas_ = vm.lastCallGas().gasTotalUsed;
        for (uint256 i; i < data.length; ++i) {
            gas_ -= data[i] == 0 ? 4 : 16;
        }
    }

    function test_Gas_OfMintingIsTheSameAfterManyJobsAndEpochs() external {
        _minting();
        uint256 same = _minting();
        _pass(1);
        uint256 next = _minting();
        for (uint256 i; i < 100; ++i) {
            Batch memory b = _batch(_terms(), 1);
            _settle(b, makeAddr(vm.toString(i)));
            _mint(b);
            if (i % 2 == 0) _pass(1);
        }
        _minting();
        assertApproxEqAbs(_minting(), same, 25, "in an epoch");
        _pass(1);
        uint256 large = _minting();
        assertApproxEqAbs(large, next, 100, "the first of an epoch");
        _pass(100);
        assertApproxEqAbs(_minting(), large, 2_000, "after a hundred empty ones: a power by squaring");
    }
}
