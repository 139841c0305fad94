// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {CreditsTest} from "test/contracts/credits/CreditsTest.sol";
import {HonestReceipts} from "test/contracts/credits/HonestReceipts.sol";

/// @dev A whole transaction's gas in steady state: owner, runtime and epoch have been used before. The receipts' part (here one slot a lease
/// in a stand-in) belongs to the market that keeps them.
contract CreditsGasTest is CreditsTest {
    string private constant GROUP = "credits";

    constructor() CreditsTest(new HonestReceipts(makeAddr("treasury"))) {}

    function setUp() public override {
        super.setUp();
        _earn(1.25e18, 1, UNITS);
        dpu.approve(address(credits), type(uint256).max);
        credits.buy(10e18, address(this), 10e18);
        credits.prioritize(keccak256("job"), 1e18);
    }

    function test_Gas_Mint() external {
        Batch memory b = _batch(_terms(), 1);
        _settle(b, alice);
        _mint(b);
        vm.snapshotGasLastCall(GROUP, "mint, 1 lease");
    }

    function test_Gas_MintEight() external {
        Batch memory b = _batch(_terms(), 8);
        _settle(b, alice);
        _mint(b);
        vm.snapshotGasLastCall(GROUP, "mint, 8 leases");
    }

    function test_Gas_MintAfterAnEpoch() external {
        Batch memory b = _batch(_terms(), 1);
        _settle(b, alice);
        _pass(1);
        _mint(b);
        vm.snapshotGasLastCall(GROUP, "mint, 1 lease, first of its epoch");
    }

    function test_Gas_Use() external {
        credits.prioritize(keccak256("job"), 1e18);
        vm.snapshotGasLastCall(GROUP, "prioritize");
        credits.buy(1e18, address(this), 1e18);
        vm.snapshotGasLastCall(GROUP, "buy");
        _pass(1);
        credits.roll();
        vm.snapshotGasLastCall(GROUP, "roll");
    }
}
