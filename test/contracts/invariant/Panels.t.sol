// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {console2} from "forge-std/console2.sol";
import {Phase} from "src-contracts/types/Lease.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Params} from "src-contracts/types/Params.sol";
import {PanelHandler} from "test/contracts/invariant/PanelHandler.sol";

/// @dev Seven statements about ranges with several seats that hold after every call, and at the end everybody leaves with everything.
contract PanelInvariantsTest is PanelHandler {
    function _params() internal view override returns (Params memory p) {
        p = super._params();
        (p.drawStep, p.drawOpenAfter) = (5, 60);
    }

    function setUp() public override {
        super.setUp();
        nodes.push(alice);
        nodes.push(bob);
        nodes.push(carol);
        nodes.push(dave);
        nodes.push(erin);
        nodes.push(_node("frank", STAKE));
        for (uint256 i; i < nodes.length; ++i) {
            stakes[nodes[i].id] = STAKE;
        }
        balances[requester] = 1_000_000e18;
        _pass(1 hours, 100);
        bytes4[15] memory selectors = [
            this.actPost.selector,
            this.actClaim.selector,
            this.actClaim.selector,
            this.actClaim.selector,
            this.actJoin.selector,
            this.actJoin.selector,
            this.actJoin.selector,
            this.actJoin.selector,
            this.actCommit.selector,
            this.actCommit.selector,
            this.actCommit.selector,
            this.actLapse.selector,
            this.actReveal.selector,
            this.actAgree.selector,
            this.actClose.selector
        ];
        bytes4[] memory all = new bytes4[](selectors.length);
        for (uint256 i; i < all.length; ++i) {
            all[i] = selectors[i];
        }
        targetContract(address(this));
        targetSelector(FuzzSelector(address(this), all));
    }

    /// forge-config: default.invariant.runs = 24
    /// forge-config: default.invariant.depth = 96
    /// forge-config: deep.invariant.runs = 1024
    /// forge-config: deep.invariant.depth = 96
    function invariant_PanelsKeepTheBooks() external view {
        _everyTokenHasAnOwner();
        _everyBalanceIsTheBooks();
        _stakesAndBondsAreTheBooks();
        _endedJobsAreEnded();
        _noPanelHasMoreThanItsSeats();
    }

    /// @dev 1. Tokens are balances, fees, escrows and bonuses, by the books; 2. and the books' escrow is the Market's where it says one.
    function _everyTokenHasAnOwner() private view {
        uint256 owed = fees + balances[requester] + balances[treasury];
        for (uint256 i; i < nodes.length; ++i) {
            owed += balances[nodes[i].owner];
        }
        for (uint256 i; i < jobs.length; ++i) {
            owed += jobs[i].left;
            if (jobs[i].t.shards != 1 && !jobs[i].over) assertEq(market.job(jobs[i].id).left, jobs[i].left, "left");
        }
        for (uint256 r; r < ranges.length; ++r) {
            owed += ranges[r].bonus * 1e9;
        }
        for (uint256 k; k < seats.length; ++k) {
            if (seats[k].phase != Phase.None) owed += uint256(seats[k].w.l.bonus) * 1e9;
        }
        assertEq(dpu.balanceOf(address(market)), owed, "every token has an owner");
        assertEq(dpu.totalSupply(), 1_000_000_000e18 - burnt, "supply");
    }

    /// @dev 3. Nobody has a unit more or less than the table of outcomes gives.
    function _everyBalanceIsTheBooks() private view {
        assertEq(_balance(address(dpu), requester), balances[requester], "requester");
        assertEq(_balance(address(dpu), treasury), balances[treasury], "treasury");
        for (uint256 i; i < nodes.length; ++i) {
            assertEq(_balance(address(dpu), nodes[i].owner), balances[nodes[i].owner], "owner");
        }
        assertEq(_fees(address(dpu)), fees, "fees");
    }

    /// @dev 4. Stakes change by slashes only, 5. and what is locked is one bond for each living seat.
    function _stakesAndBondsAreTheBooks() private view {
        for (uint256 i; i < nodes.length; ++i) {
            Node memory n = market.node(nodes[i].id);
            assertEq(n.stake, stakes[nodes[i].id], "stake");
            assertEq(n.locked, locked[nodes[i].id], "locked");
        }
    }

    /// @dev 6. A job that the books have ended is ended, and no other.
    function _endedJobsAreEnded() private view {
        for (uint256 i; i < jobs.length; ++i) {
            assertEq(_isOver(jobs[i].id), jobs[i].over, "over");
        }
    }

    /// @dev 7. Nobody sits where all seats are taken.
    function _noPanelHasMoreThanItsSeats() private view {
        for (uint256 r; r < ranges.length; ++r) {
            assertLe(ranges[r].seats.length, jobs[ranges[r].job].t.seats, "seats");
        }
    }

    /* THE END */

    function afterInvariant() external {
        _report();
        vm.warp(_now() + 8 days);
        vm.prank(guard);
        market.pause(3 days);
        for (uint256 k; k < seats.length; ++k) {
            if (seats[k].phase == Phase.Claimed) _lapseAt(k);
        }
        for (uint256 r; r < ranges.length; ++r) {
            if (ranges[r].seated) _agreeAt(r, false);
        }
        for (uint256 i; i < jobs.length; ++i) {
            if (!jobs[i].over) _closeAt(i);
        }
        for (uint256 r; r < ranges.length; ++r) {
            if (!ranges[r].waiting) continue;
            market.sweep(jobs[ranges[r].job].id, ranges[r].first);
            balances[treasury] += ranges[r].bonus * 1e9;
            ranges[r].bonus = 0;
        }
        _everyTokenHasAnOwner();
        for (uint256 i; i < nodes.length; ++i) {
            assertEq(market.node(nodes[i].id).locked, 0, "nothing stays locked");
        }
        _everybodyWithdraws();
    }

    function _everybodyWithdraws() private {
        address[] memory owners = _owners();
        if (_fees(address(dpu)) != 0) market.collectFees(address(dpu), owners);
        for (uint256 i; i < owners.length; ++i) {
            _withdraws(owners[i]);
        }
        _withdraws(requester);
        _withdraws(treasury);
        assertEq(dpu.balanceOf(address(market)), 0, "nothing is left");
    }

    function _withdraws(address account) private {
        uint256 balance = _balance(address(dpu), account);
        vm.prank(account);
        if (balance != 0) market.withdraw(address(dpu), account, balance);
        vm.stopPrank();
    }

    function _report() private view {
        for (uint256 i; i < actions.length; ++i) {
            string memory name = string(abi.encodePacked(actions[i]));
            console2.log(name, done[actions[i]], tried[actions[i]]);
        }
    }
}
